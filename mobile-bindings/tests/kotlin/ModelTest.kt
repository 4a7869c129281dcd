package jp.renraku.core.test

import java.io.File
import jp.renraku.app.model.AppModel
import jp.renraku.app.model.Stage as Screen
import jp.renraku.app.model.TownChoice
import jp.renraku.app.model.Towns
import jp.renraku.app.model.Words
import jp.renraku.app.model.beginEdit
import jp.renraku.app.model.beginSketch
import jp.renraku.app.model.changeEdit
import jp.renraku.app.model.compose
import jp.renraku.app.model.dropBiometrics
import jp.renraku.app.model.edit
import jp.renraku.app.model.renew
import jp.renraku.app.model.resume
import jp.renraku.app.model.setPin
import jp.renraku.app.model.unask
import jp.renraku.app.model.unlock
import jp.renraku.app.model.useBiometrics
import jp.renraku.core.ItemState
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.knownTowns
import jp.renraku.core.problemSentence
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TestName

/** The Android app's own model, what its screens would show, over the real core. Several towns: TownsTest. */
class ModelTest {
    private val stage by lazy { Stage(System.getenv("RENRAKU_STAGE").toInt()) }
    private val town by lazy { stage.ask("town") }

    @get:Rule
    val name = TestName()
    private val folder get() = File(System.getenv("RENRAKU_PHONES"), name.methodName)
    private var time = 0L
    private var proven = true

    private fun play(test: suspend CoroutineScope.() -> Unit) = runBlocking {
        withTimeout(120_000) {
            test()
            coroutineContext.cancelChildren()
        }
    }

    /** The towns of a folder, over the real core. */
    private inner class FolderTowns : Towns {
        private val devices = mutableMapOf<String?, RenrakuDevice>()
        override var last: String? = null

        override suspend fun known() = knownTowns(File(folder, "app").path)

        override suspend fun open(town: String?) = devices.getOrPut(town) {
            if (town == null) return@getOrPut open(folder, this@ModelTest.town)
            val roots = File(this@ModelTest.town.getValue("roots")).readText()
            val (app, vault) = File(folder, "app").path to FolderVault(File(folder, "vault"))
            RenrakuDevice.openTown(app, vault, Chip(File(folder, "chip-$town")), null, roots, town)
        }
    }

    private fun CoroutineScope.model(towns: Towns = FolderTowns()) = AppModel(
        this,
        towns = towns,
        prove = { proven },
        guarded = { FolderVault(File(folder, "guarded")) },
        canRecognise = { true },
        now = { time },
        sweep = {},
    )

    /** From the first start to the work. */
    private suspend fun AppModel.enter() {
        start().join()
        assertEquals(state.value.trouble, Screen.ENROL, state.value.stage)
        val ticket = stage.ask("ticket")
        enrol(town.getValue("public_url"), " ${town["slug"]} ", ticket.getValue("number"), ticket.getValue("password"), "訪問用").join()
        assertEquals(state.value.trouble, Screen.SIGN_IN, state.value.stage)
        val newcomer = stage.ask("newcomer")
        val first = newcomer.getValue("first_password")
        signIn(newcomer.getValue("login_id"), first).join()
        assertEquals(state.value.trouble, Screen.CHANGE_PASSWORD, state.value.stage)
        changePassword(first, PASSWORD, PASSWORD).join()
        assertEquals(state.value.trouble, Screen.WORK, state.value.stage)
        while (state.value.lock == null) delay(10)
    }

    private suspend fun AppModel.away(seconds: Int) {
        left()
        time += seconds * 1000L
        returned().join()
    }

    @Test
    fun withoutAPinTheHolderIsAskedFor() = play {
        val model = model()
        model.enter()
        val patients = model.state.value.work!!.state
        while (patients.value.patients.isEmpty()) delay(10)
        assertEquals(town["patient_name"], patients.value.patients.single().name)
        val relock = model.state.value.town!!.relockSeconds.toInt()
        model.away(relock - 1)
        assertEquals(Screen.WORK, model.state.value.stage)
        model.away(relock)
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
        proven = false
        model.resume(model.state.value.people.single()).join()
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
        assertNotNull(model.state.value.trouble)
        proven = true
        model.resume(model.state.value.people.single()).join()
        assertEquals(Screen.WORK, model.state.value.stage)
        assertFalse(model.state.value.renewalDue)
        model.renew().join()
        assertEquals("too early: nothing changes", Screen.WORK, model.state.value.stage)
        assertNotNull(model.state.value.trouble)
    }

    @Test
    fun aPinIsAskedForAndCountedAndAFingerOpensToo() = play {
        proven = false
        val model = model()
        model.enter()
        model.setPin(null, "194502", "194503").join()
        assertFalse(model.state.value.lock!!.pin)
        model.setPin(null, "194502", "194502").join()
        assertTrue(model.state.value.lock!!.pin)
        val relock = model.state.value.town!!.relockSeconds.toInt()
        model.away(relock)
        val person = model.state.value.people.single()
        model.resume(person).join()
        assertEquals(Screen.PIN, model.state.value.stage)
        model.unlock("000000").join()
        assertEquals(Screen.PIN, model.state.value.stage)
        assertTrue(model.state.value.trouble, "あと9回" in model.state.value.trouble!!)
        model.unask().join()
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
        assertNull(model.state.value.asked)
        model.resume(person).join()
        model.unlock("194502").join()
        assertEquals(model.state.value.trouble, Screen.WORK, model.state.value.stage)

        model.useBiometrics("194502").join()
        assertTrue(model.state.value.trouble, model.state.value.lock!!.biometrics)
        model.away(relock)
        model.resume(person).join()
        assertEquals(model.state.value.trouble, Screen.WORK, model.state.value.stage)
        model.away(relock)
        assertTrue(File(folder, "guarded").deleteRecursively())
        model.resume(person).join()
        assertEquals("the finger is not known any more", Screen.PIN, model.state.value.stage)
        assertNotEquals(null, model.state.value.trouble)
        model.unlock("194502").join()
        model.dropBiometrics().join()
        assertFalse(model.state.value.lock!!.biometrics)

        // After the tenth wrong one nothing of the person is left here.
        model.away(relock)
        model.resume(person).join()
        repeat(10) { model.unlock("00000$it").join() }
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
        assertTrue(model.state.value.people.isEmpty())
        assertNotNull(model.state.value.trouble)
    }

    @Test
    fun aMarkThatTheTownDoesNotTakeIsNamedAndTakenOff() = play {
        val model = model()
        model.enter()
        val work = model.state.value.work!!
        val patient = town.getValue("patient")
        work.beginSketch(patient)
        work.jot { it.copy(body = "至急", urgent = true) }
        assertTrue(work.compose(asDraft = true))
        val item = work.state.value.outbox.single()
        assertTrue(item.urgent)
        work.beginEdit(item)
        work.changeEdit("確認", urgent = false)
        assertTrue(work.edit())
        val mended = work.state.value.outbox.single()
        assertEquals("確認" to false, mended.body to mended.urgent)
        assertTrue("緊急" in Words.state(ItemState.Failed("field_invalid", "urgent")))
        assertFalse("緊急" in Words.state(ItemState.Failed("field_invalid", null)))
    }

    @Test
    fun aTownThatDoesNotTakeTheDeviceLeavesTheFirstInUse() = play {
        val towns = FolderTowns()
        towns.open(null).enrol(stage, town)
        val model = model(towns)
        model.start().join()
        model.addTown()
        val ticket = stage.ask("ticket")
        suspend fun trouble(slug: String): String? {
            model.enrol(town.getValue("public_url"), slug, ticket.getValue("number"), ticket.getValue("password"), "x").join()
            assertEquals(Screen.ENROL, model.state.value.stage)
            return model.state.value.trouble
        }
        assertEquals("この自治体の証明書は、この端末にもうあります。", trouble(" ${town["slug"]} "))
        assertEquals(problemSentence("not_found"), trouble("yoso"))
        assertEquals(problemSentence("field_invalid"), trouble("よその町"))
        model.unask().join()
        assertEquals(Screen.SIGN_IN to town["slug"], model.state.value.let { it.stage to it.town?.slug })
        assertEquals(listOf("yoso"), towns.known())
        assertEquals("one that was not finished is none", emptyList<TownChoice>(), model.state.value.others)
        assertFalse(model.state.value.enrolAnew)
    }
}
