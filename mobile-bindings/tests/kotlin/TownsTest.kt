package jp.renraku.core.test

import jp.renraku.app.model.AppModel
import jp.renraku.app.model.Shot
import jp.renraku.app.model.Stage as Screen
import jp.renraku.app.model.TownChoice
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.Words
import jp.renraku.app.model.beginSketch
import jp.renraku.app.model.change
import jp.renraku.app.model.pushOpened
import jp.renraku.core.MobileException
import jp.renraku.core.problemSentence
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** The Android app's own model in several towns, over stand-ins for the core's objects. */
class TownsTest {
    private var time = 0L

    private fun play(test: suspend CoroutineScope.() -> Unit) = runBlocking {
        withTimeout(120_000) {
            test()
            coroutineContext.cancelChildren()
        }
    }

    private fun CoroutineScope.model(towns: FakeTowns) = fakeModel(towns, now = { time })

    private val AppModel.place get() = state.value.stage to state.value.town?.slug

    private val AppModel.work: WorkModel get() = checkNotNull(state.value.work) { state.value.toString() }

    private suspend fun AppModel.away(seconds: Int) {
        left()
        time += seconds * 1000L
        returned().join()
    }

    /** Begins a post with a picture, and locks. */
    private suspend fun AppModel.interrupted(): File {
        val file = File.createTempFile("shot", ".jpg").apply { deleteOnExit() }
        work.beginSketch("patient")
        assertTrue(work.jot { it.copy(body = "左踵", shots = listOf(Shot(file, isVideo = false))) })
        away(60)
        return file
    }

    private suspend fun AppModel.change(town: String) {
        time += 2_000
        switchTown(state.value.others.single { it.name == town }).join()
        assertEquals(Screen.SIGN_IN to town.removeSuffix("町"), place)
    }

    private suspend fun CoroutineScope.assertClosed(towns: FakeTowns): AppModel = model(towns).also {
        it.start().join()
        assertEquals(Screen.CLOSED, it.state.value.stage)
        assertNotNull(it.state.value.trouble)
    }

    @Test
    fun itBeginsWithTheTownUsedLastAndTellsTheOthers() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina", "miyada" to "miyada", "tatsuno" to null)
        towns.last = "ina"
        val model = model(towns)
        model.start().join()
        val others = listOf(TownChoice(null, "minowa町"), TownChoice("miyada", "miyada町"))
        assertEquals(Screen.SIGN_IN to "ina", model.state.value.let { it.stage to it.town?.slug })
        assertEquals(others, model.state.value.others)
        model.switchTown(others[0]).join()
        assertEquals("minowa", model.state.value.town?.slug)
        assertEquals(listOf("ina町", "miyada町"), model.state.value.others.map { it.name })
        assertEquals(listOf("minowaの看護師"), model.state.value.people.map { it.name })
        assertNull(towns.last)
        model.signIn("nurse", "x").join()
        model.switchTown(others[1]).join()
        assertEquals("nobody is taken away from the work", Screen.WORK, model.state.value.stage)
    }

    @Test
    fun itFallsBackToTheFirstThatIsEnrolled() = play {
        for (last in listOf("tatsuno", "broken")) {
            val towns = FakeTowns(null to null, "broken" to "broken", "ina" to "ina", "tatsuno" to null)
            towns.devices.getValue("broken").broken = true
            towns.last = last
            val model = model(towns)
            model.start().join()
            assertEquals(Screen.SIGN_IN to "ina", model.state.value.let { it.stage to it.town?.slug })
            assertTrue(model.state.value.others.isEmpty())
            assertNull(model.state.value.trouble)
        }
        val towns = FakeTowns(null to null, "tatsuno" to null)
        val model = model(towns)
        model.start().join()
        assertEquals(Screen.ENROL, model.state.value.stage)
        model.enrol("https://x.invalid", "minowa", "1", "2", "x").join()
        assertEquals("minowa", towns.devices.getValue(null).enrolled)
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
        towns.devices.getValue(null).broken = true
        assertClosed(towns)
    }

    @Test
    fun oneThatCannotBeOpenedIsNotTakenForNone() = play {
        val towns = FakeTowns(null to null, "ina" to "ina")
        towns.last = "ina"
        towns.devices.getValue("ina").broken = true
        val model = assertClosed(towns)
        towns.devices.getValue("ina").broken = false
        model.start().join()
        assertEquals(Screen.SIGN_IN to "ina", model.state.value.let { it.stage to it.town?.slug })
        assertNull(model.state.value.trouble)
        towns.unlisted = true
        towns.last = null
        assertClosed(towns)
    }

    @Test
    fun aFurtherTownIsInUseOnlyWhenItIsEnrolled() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina")
        val model = model(towns)
        model.start().join()
        suspend fun add(slug: String) = model.enrol("https://x.invalid", slug, "1", "2", "x").join()
        model.addTown()
        assertTrue(model.state.value.adding)
        for (slug in listOf("ina", "minowa")) {
            add(slug)
            assertEquals("この自治体の証明書は、この端末にもうあります。", model.state.value.trouble)
        }
        assertTrue("no server is asked", towns.devices.values.all { it.asked == 0 })
        towns.refusal = MobileException.Certificate("ticket_invalid")
        add("miyada")
        assertEquals(problemSentence("ticket_invalid"), model.state.value.trouble)
        assertEquals(Screen.ENROL to "minowa", model.state.value.let { it.stage to it.town?.slug })
        assertFalse(model.state.value.enrolAnew)
        assertNull(towns.last)
        towns.refusal = null
        add("miyada")
        assertEquals(Screen.SIGN_IN to "miyada", model.state.value.let { it.stage to it.town?.slug })
        assertEquals("miyada", towns.last)
        assertFalse(model.state.value.adding)
        assertEquals("by name", listOf("ina町", "minowa町"), model.state.value.others.map { it.name })
    }

    @Test
    fun forgettingOneTownLeavesTheOther() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina")
        val model = model(towns)
        model.start().join()
        model.forgetDevice().join()
        assertEquals(Screen.SIGN_IN to "ina", model.state.value.let { it.stage to it.town?.slug })
        assertEquals("ina", towns.last)
        assertTrue(model.state.value.others.isEmpty())
        model.forgetDevice().join()
        assertEquals(Screen.ENROL, model.state.value.stage)
        assertNull(towns.last)
        model.enrol("https://x.invalid", "tatsuno", "1", "2", "x").join()
        assertEquals("tatsuno", towns.devices.getValue(null).enrolled)
    }

    @Test
    fun whatBelongsToOneTownIsNotShownInAnother() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina")
        val model = model(towns)
        model.start().join()
        model.signIn("nurse", "x").join()
        model.state.value.work!!.beginSketch("patient")
        model.work.jot { it.copy(body = "左踵") }
        suspend fun said(): String? {
            model.pushOpened("{}").join()
            return model.state.value.work!!.state.value.trouble.also { model.state.value.work!!.hush() }
        }
        assertEquals("開けませんでした。ほかの自治体の連絡かもしれません。", said())
        towns.stale = true
        assertEquals("開けませんでした。電波が届かないか、ほかの自治体の連絡です。", said())
        towns.offline = true
        assertEquals(Words.sentence(MobileException.Offline(null)), said())
        towns.stale = false
        towns.offline = false
        model.away(60)
        model.switchTown(model.state.value.others.single()).join()
        model.signIn("nurse", "x").join()
        assertEquals("inaの看護師", model.state.value.work!!.staff.name)
        assertNull(model.state.value.work!!.state.value.sketch)
        model.signOut().join()
        model.forgetDevice().join()
        model.signIn("nurse", "x").join()
        assertEquals("there is no other town", "開けませんでした。取り消されたか、今は見られない連絡です。", said())
        towns.stale = true
        assertEquals("開けませんでした。電波の届く場所で、もう一度お試しください。", said())
    }

    @Test
    fun whatSomebodyWroteWaitsForThemInItsTown() = play {
        val model = model(FakeTowns(null to "minowa", "ina" to "ina"))
        model.start().join()
        model.signIn("nurse", "x").join()
        val file = model.interrupted()
        model.change("ina町")
        model.signIn("nurse", "x").join()
        assertNull(model.work.state.value.sketch)
        val inIna = model.interrupted()
        model.change("minowa町")
        model.signIn("nurse", "x").join()
        assertEquals("左踵", model.work.state.value.sketch?.body)
        assertTrue(file.exists() && inIna.exists())

        model.away(60)
        model.signIn("carer", "x").join()
        assertNull("it is another's", model.work.state.value.sketch)
        assertFalse(file.exists())
        assertTrue(inIna.exists())
        model.signOut().join()
        model.signIn("nurse", "x").join()
        assertNull(model.work.state.value.sketch)
    }

    @Test
    fun whatAForgottenOneWroteIsForgotten() = play {
        val model = model(FakeTowns(null to "minowa", "ina" to "ina"))
        model.start().join()
        model.signIn("carer", "x").join()
        var file = model.interrupted()
        model.forget(model.state.value.people.single()).join()
        assertTrue("another was forgotten", file.exists())
        model.signIn("nurse", "x").join()
        assertFalse(file.exists())
        file = model.interrupted()
        model.forget(model.state.value.people.single()).join()
        assertFalse(file.exists())
        model.signIn("nurse", "x").join()
        assertNull(model.work.state.value.sketch)
        file = model.interrupted()
        model.change("ina町")
        model.forgetDevice().join()
        assertTrue("another town was forgotten", file.exists())
        model.forgetDevice().join()
        assertFalse(file.exists())
    }

    @Test
    fun oneThingIsDoneAtATime() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina")
        val model = model(towns)
        model.start().join()
        val gate = CompletableDeferred<Unit>()
        towns.gate = gate
        val signIn = model.signIn("nurse", "x")
        assertTrue("before it was begun", model.state.value.busy)
        val other = model.state.value.others.single()
        model.switchTown(other).join()
        yield()
        model.switchTown(other).join()
        model.signIn("carer", "x").join()
        model.forgetDevice().join()
        model.addTown()
        model.enrolAnew()
        assertEquals(Screen.SIGN_IN to "minowa", model.place)
        gate.complete(Unit)
        signIn.join()
        assertEquals(Screen.WORK to "minowa", model.place)
        assertEquals("minowaの看護師", model.work.staff.name)
        assertFalse(model.state.value.busy)
        model.addTown()
        assertEquals("nobody is taken away from the work", Screen.WORK, model.state.value.stage)
    }

    @Test
    fun aSecondTapChangesNoTownBack() = play {
        val model = model(FakeTowns(null to "minowa", "ina" to "ina"))
        model.start().join()
        model.switchTown(model.state.value.others.single()).join()
        time += 900
        model.switchTown(model.state.value.others.single()).join()
        assertEquals(Screen.SIGN_IN to "ina", model.place)
        time += 200
        model.switchTown(model.state.value.others.single()).join()
        assertEquals(Screen.SIGN_IN to "minowa", model.place)
    }

    @Test
    fun anotherCertificateIsNotThatOfAnotherTown() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina")
        val model = model(towns)
        model.start().join()
        model.enrolAnew()
        model.enrol("https://x.invalid", "ina", "1", "2", "x").join()
        assertEquals("この自治体の証明書は、この端末にもうあります。", model.state.value.trouble)
        assertTrue("no server is asked", towns.devices.values.all { it.asked == 0 })
        model.enrol("https://x.invalid", "minowa", "1", "2", "x").join()
        assertEquals(Screen.SIGN_IN to "minowa", model.place)
        assertEquals(1, towns.devices.getValue(null).asked)
    }

    @Test
    fun nothingIsChangedInWhatIsLocked() = play {
        val model = model(FakeTowns(null to "minowa"))
        model.start().join()
        model.signIn("nurse", "x").join()
        val work = model.work
        assertFalse("nothing was begun", work.change("none") { it.copy(body = "左踵") })
        assertNull(work.state.value.sketch)
        model.interrupted()
        assertTrue("it is not there any more", work.state.value.sketches.isEmpty())
        model.signIn("nurse", "x").join()
        val post = model.work.state.value.sketch!!.id
        assertFalse(work.change(post) { it.copy(body = "右踵") })
        assertEquals("左踵", model.work.state.value.sketch?.body)
    }
}
