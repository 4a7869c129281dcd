package jp.renraku.core.test

import jp.renraku.app.model.Shot
import jp.renraku.app.model.Stage as Screen
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.Words
import jp.renraku.app.model.beginSketch
import jp.renraku.app.model.diagnose
import jp.renraku.app.model.pushOpened
import jp.renraku.app.model.release
import jp.renraku.app.model.resume
import jp.renraku.app.model.setPin
import jp.renraku.app.model.unask
import jp.renraku.core.Diagnosis
import jp.renraku.core.MobileException
import jp.renraku.core.NoticeKind
import jp.renraku.core.PostDraft
import jp.renraku.core.Unlocked
import jp.renraku.core.problemSentence
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

/** Sending, what is told, and a device that is taken out of use. */
class WorkTest : AtWork() {
    private val unexpected = MobileException.Unexpected(null)

    /** The work alone, which tries again at once. */
    private suspend fun CoroutineScope.work(): WorkModel {
        val session = towns.devices.getValue(null).signIn("nurse", "x")
        return WorkModel(this, session, municipality("minowa"), { false }, pause = 0) { error("it is over: $it") }
    }

    private suspend fun passes(number: Int) {
        while (outbox.passes < number) delay(1)
    }

    @Test
    fun aScreenThatIsLeftStopsNoSending() = play {
        val work = work()
        val road = CompletableDeferred<Unit>()
        outbox.road = road
        outbox.nextTryAt = 1
        val screen = launch { work.flush(now = true) }
        passes(1)
        screen.cancelAndJoin()
        outbox.road = null
        road.complete(Unit)
        passes(2)
        work.close()
    }

    @Test
    fun aScreenThatIsLeftStopsNoRelease() = play {
        val work = work()
        outbox.posts["p"] = PostDraft("A", "左踵", false, null, emptyList(), true, "p")
        work.loadOutbox()
        val gate = CompletableDeferred<Unit>()
        outbox.gate = gate
        val screen = launch { work.release(work.state.value.outbox.single()) }
        yield()
        yield()
        screen.cancelAndJoin()
        gate.complete(Unit)
        passes(1)
        assertFalse(outbox.only.keepAsDraft)
    }

    @Test
    fun aPassThatFailsIsTriedAgainAndToldOnce() = play {
        val work = work()
        outbox.noPass = unexpected
        work.flush(now = true)
        assertEquals(Words.sentence(unexpected), work.state.value.trouble)
        work.hush()
        passes(3)
        assertNull("nobody asked for it", work.state.value.trouble)
        work.close()
        val before = outbox.passes
        delay(1_200)
        assertEquals(before, outbox.passes)
    }

    @Test
    fun aPassThatWasAskedForWhileOneFailedFollowsAtOnce() = play {
        val work = work()
        val road = CompletableDeferred<Unit>()
        outbox.road = road
        outbox.noPass = unexpected
        val first = launch { work.flush(now = true) }
        passes(1)
        work.flush(now = true)
        outbox.road = null
        road.complete(Unit)
        first.join()
        withTimeout(500) { passes(2) }
        work.close()
    }

    @Test
    fun nothingIsTriedAgainUntilTheCertificateIs() = play {
        val work = work()
        outbox.noPass = MobileException.Certificate("certificate_expired")
        work.flush(now = true)
        assertEquals(problemSentence("certificate_expired"), work.state.value.trouble)
        delay(1_200)
        assertEquals(1, outbox.passes)
    }

    @Test
    fun nonePatientsAreToldOnlyByTheServer() = play {
        towns.offline = true
        val model = atWork()
        model.work.catchUp()
        assertFalse(model.work.state.value.loaded)
        towns.offline = false
        model.work.catchUp()
        assertTrue(model.work.state.value.loaded)
    }

    @Test
    fun aPushThatHasNoPatientIsShownAsALine() = play {
        val model = atWork()
        towns.told = Unlocked(NoticeKind.TRAINING_DUE, null, null, null, null, null, false)
        model.pushOpened("{}").join()
        assertEquals("新しい連絡があります" to null, model.work.state.value.let { it.news to it.trouble })
    }

    @Test
    fun whatWasDoneIsNoTrouble() = play {
        val model = atWork()
        model.setPin(null, "194502", "194503").join()
        assertEquals(null to true, model.state.value.let { it.notice to (it.trouble != null) })
        model.setPin(null, "194502", "194502").join()
        assertEquals(null to true, model.state.value.let { it.trouble to (it.notice != null) })
        model.signOut().join()
        model.diagnose().join()
        assertEquals(null to Words.sentence(Diagnosis.Ready), model.state.value.let { it.trouble to it.notice })
        towns.diagnosis = Diagnosis.Offline
        model.diagnose().join()
        assertEquals(Words.sentence(Diagnosis.Offline) to null, model.state.value.let { it.trouble to it.notice })
        assertFalse(model.state.value.enrolAnew)
        towns.diagnosis = Diagnosis.Refused("certificate_expired")
        model.diagnose().join()
        assertEquals(problemSentence("certificate_expired"), model.state.value.trouble)
        assertTrue(model.state.value.enrolAnew)
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
    }

    @Test
    fun aFingerIsAskedForWhereOneCanBeRecognised() = play {
        val model = atWork()
        towns.pin = true
        towns.finger = true
        val nurse = model.state.value.people.single()
        model.signOut().join()
        recognises = false
        model.resume(nurse).join()
        assertEquals(Screen.PIN to null, model.state.value.let { it.stage to it.trouble })
        model.unask().join()
        recognises = true
        model.resume(nurse).join()
        assertEquals(Screen.WORK, model.state.value.stage)
    }

    @Test
    fun aRevokedDeviceShowsNothingAnyMore() = play {
        val model = atWork()
        val work = model.work
        val film = File.createTempFile("film", ".mp4").apply { deleteOnExit() }
        work.beginSketch("A")
        work.jot { it.copy(body = "左踵", shots = listOf(Shot(film, isVideo = true))) }
        towns.devices.getValue(null).revoked = true
        work.catchUp()
        assertEquals(Screen.ENROL, model.state.value.stage)
        assertEquals(problemSentence("certificate_revoked"), model.state.value.trouble)
        assertNull(model.state.value.work)
        assertNull(model.state.value.town)
        assertTrue(model.state.value.people.isEmpty())
        assertFalse(film.exists())
        assertTrue(work.state.value.sketches.isEmpty())
        assertTrue("nothing is put anywhere", outbox.posts.isEmpty())
        assertEquals(listOf(emptySet<File>()), swept)
        // It may enrol again.
        model.enrol("https://x.invalid", "minowa", "1", "2", "x").join()
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
        towns.devices.getValue(null).revoked = false
        towns.devices.getValue(null).enrolled = "minowa"
        towns.diagnosis = Diagnosis.Refused("certificate_revoked")
        model.diagnose().join()
        assertEquals("also before the sign-in", Screen.ENROL, model.state.value.stage)
        assertEquals(problemSentence("certificate_revoked"), model.state.value.trouble)
    }

    /** Anybody on the way may say that the device is revoked; the core asks the town. */
    @Test
    fun whatTheTownDoesNotSayRevokesNothing() = play {
        val model = atWork()
        model.work.beginSketch("A")
        model.work.jot { it.copy(body = "左踵") }
        outbox.noPass = MobileException.Certificate("certificate_revoked")
        model.work.flush(now = true)
        assertEquals(problemSentence("certificate_revoked"), model.work.state.value.trouble)
        assertEquals("左踵", model.work.state.value.sketch?.body)
        assertTrue(swept.isEmpty())
    }

    @Test
    fun oneTownThatRevokesLeavesTheOthers() = play {
        val towns = FakeTowns(null to "minowa", "ina" to "ina")
        val model = atWork(towns)
        val film = File.createTempFile("film", ".mp4").apply { deleteOnExit() }
        model.work.beginSketch("A")
        model.work.jot { it.copy(body = "左踵", shots = listOf(Shot(film, isVideo = true))) }
        model.left()
        time += 60_000
        model.returned().join()
        model.switchTown(model.state.value.others.single()).join()
        model.signIn("nurse", "x").join()
        towns.devices.getValue("ina").revoked = true
        model.work.catchUp()
        assertEquals("minowa", model.state.value.town?.slug)
        assertEquals("ina町：${problemSentence("certificate_revoked")}", model.state.value.trouble)
        assertTrue("another town's is left alone", film.exists())
        assertEquals(listOf(setOf(film)), swept)
        assertNull(towns.last)
        assertTrue(model.state.value.others.isEmpty())
        model.signIn("nurse", "x").join()
        assertNotNull(model.work.state.value.sketch)
    }
}
