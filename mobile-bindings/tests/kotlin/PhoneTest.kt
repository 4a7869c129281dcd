package jp.renraku.core.test

import java.io.File
import java.nio.file.Files
import java.util.UUID
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import jp.renraku.core.AttachmentFile
import jp.renraku.core.CancelToken
import jp.renraku.core.Diagnosis
import jp.renraku.core.FileState
import jp.renraku.core.Item
import jp.renraku.core.ItemState
import jp.renraku.core.MediaKind
import jp.renraku.core.MobileException
import jp.renraku.core.NoticeKind
import jp.renraku.core.PostDraft
import jp.renraku.core.ProgressListener
import jp.renraku.core.PushProvider
import jp.renraku.core.RenrakuSession
import jp.renraku.core.StorageTrouble
import jp.renraku.core.problemSentence
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TestName

/** What the Android shell does with the core, on the JVM: the generated bindings, the real library, the real server. */
class PhoneTest {
    private val stage = Stage(System.getenv("RENRAKU_STAGE").toInt())
    private val town = stage.ask("town")
    private val patient = town.getValue("patient")

    @get:Rule
    val name = TestName()
    private val folder get() = File(System.getenv("RENRAKU_PHONES"), name.methodName)

    @Before
    fun anOpenRoad() {
        stage.ask("flow")
        stage.ask("mend")
    }

    /** Runs on one thread, as a screen does; what hangs ends. */
    private fun play(test: suspend CoroutineScope.() -> Unit) = runBlocking { withTimeout(120_000) { test() } }

    private suspend inline fun <reified E : Throwable> refused(call: suspend () -> Unit): E {
        val thrown = runCatching { call() }.exceptionOrNull()
        assertTrue("$thrown instead of ${E::class.simpleName}", thrown is E)
        return thrown as E
    }

    private suspend fun nurse() = open(folder, town).run {
        enrol(stage, town)
        firstSignIn(stage)
    }

    private fun draft(body: String, vararg files: AttachmentFile) = PostDraft(patient, body, false, null, files.asList(), false)

    private fun photo() = AttachmentFile(MediaKind.PHOTO, town.getValue("photo"), "左踵")

    private fun film() = AttachmentFile(MediaKind.VIDEO, town.getValue("film"), "歩く様子")

    private suspend fun RenrakuSession.sendAll() {
        repeat(20) { if (outbox().flush(true).remaining == 0u) return }
        error("it does not come to an end: ${outbox().items()}")
    }

    /** Waits until the first chunk of the only file has arrived. */
    private suspend fun RenrakuSession.underWay(): Item {
        var seen = 0uL
        while (true) {
            seen = outbox().changed(seen, 1_000u)
            outbox().items().single().let { if (it.media.single().uploaded > 0u) return it }
        }
    }

    @Test
    fun enrolsAndSignsIn() = play {
        val device = open(folder, town)
        assertEquals(Diagnosis.NotEnrolled, device.certificate().diagnose())
        val wrong = refused<MobileException.Certificate> { device.certificate().enrol(form(town, "00000000", "wrong")) }
        assertEquals("ticket_invalid", wrong.code)
        assertNotEquals(problemSentence("of_tomorrow"), problemSentence(wrong.code))
        assertEquals(town["slug"], device.enrol(stage, town).slug)
        assertEquals(Diagnosis.Ready, device.certificate().diagnose())
        assertTrue(device.certificate().isHardwareBacked())
        assertFalse(device.certificate().status()!!.renewalDue)

        val newcomer = stage.ask("newcomer")
        val (id, first) = newcomer.getValue("login_id") to newcomer.getValue("first_password")
        assertEquals("sign_in_refused", refused<MobileException.SignedOut> { device.signIn(id, "not-$first") }.code)
        val session = device.signIn(id, first)
        assertTrue(session.mustChangePassword())
        assertEquals("password_change_required", refused<MobileException.SignedOut> { session.patients().list() }.code)
        session.changePassword(first, PASSWORD)
        assertEquals(town["patient_name"], session.patients().list().patients.single().name)
        assertEquals(session.staff().id, device.people().single().staffId)

        // The process ends and starts again; the device's key and the session are still there.
        session.close()
        device.close()
        val again = open(folder, town)
        val resumed = again.person(again.people().single().staffId).resume()
        assertFalse(resumed.patients().list().stale)
        resumed.signOut()
        refused<MobileException.SignedOut> { again.person(resumed.staff().id).resume() }
    }

    @Test
    fun aPostWrittenWithoutANetworkIsSentOnceItIsBack() = play {
        val session = nurse()
        session.patients().list()
        session.posts().timeline(patient, null)
        stage.ask("cut")
        val camera = File.createTempFile("camera", ".jpg").also { File(town.getValue("photo")).copyTo(it, overwrite = true) }
        val shot = AttachmentFile(MediaKind.PHOTO, camera.path, "左踵", handOver = true)
        val post = draft("電波なし", shot).copy(id = UUID.randomUUID().toString())
        // Half written when the app was left: kept with a second name of the picture, and replaced.
        val second = File(camera.parent, "second-${camera.name}").also { Files.createLink(it.toPath(), camera.toPath()) }
        val half = draft("電波", shot.copy(path = second.path)).copy(id = post.id, keepAsDraft = true)
        session.outbox().compose(half)
        assertEquals(ItemState.Draft, session.outbox().items().single().state)
        val id = session.outbox().compose(post)
        assertFalse("handed over", camera.exists())
        assertEquals("tapped twice", id, session.outbox().compose(post))
        assertEquals(FileState.Planned, session.outbox().items().single().media.single().state)
        assertEquals(1u, session.outbox().prepare().made)
        assertEquals(ItemState.Waiting, session.outbox().items().single().state)
        assertTrue(session.outbox().flush(true).offline)
        assertTrue(session.patients().list().stale)
        assertTrue(session.posts().timeline(patient, null).stale)
        val kept = session.patients().listLastSeen()!!
        assertTrue(kept.stale && kept.seenAt!! <= System.currentTimeMillis())
        assertEquals(town["patient_name"], kept.patients.single().name)
        stage.ask("mend")
        session.sendAll()
        assertEquals(ItemState.Sent, session.outbox().items().single { it.id == id }.state)
        assertEquals(mapOf("times" to "1", "files" to "Photo Ready 1536x2048"), stage.ask("arrived 電波なし"))
        val seen = session.posts().post(id).post.media.single()
        assertArrayEquals(byteArrayOf(-1, -40), session.posts().thumbnail(seen.id).copyOf(2))
    }

    @Test
    fun aKilledUploadGoesOnInAnotherProcess() = play {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val victim = ProcessBuilder(
            java, "-Djna.library.path=${System.getProperty("jna.library.path")}", "-cp", System.getProperty("java.class.path"),
            Victim::class.java.name, System.getenv("RENRAKU_STAGE"), folder.path, "途中で落ちた",
        ).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val said = victim.inputStream.bufferedReader().lineSequence().map { it.split(' ') }.iterator()
        fun hears(word: String): List<ULong> {
            while (said.hasNext()) said.next().let { if (it[0] == word) return it.drop(1).map(String::toULong) }
            error("the phone ended by itself: ${victim.waitFor()}")
        }
        val before = hears("kept").single()
        var (uploaded, length) = hears("uploaded")
        while (uploaded == 0uL) uploaded = hears("uploaded")[0]
        assertTrue("killed too late: $uploaded of $length", uploaded < length)
        victim.destroyForcibly()
        assertTrue(victim.waitFor(30, TimeUnit.SECONDS))
        assertEquals("SIGKILL", 128 + 9, victim.exitValue())
        stage.ask("cut")
        stage.ask("flow")
        stage.ask("mend")

        val device = open(folder, town)
        val session = device.person(device.people().single().staffId).resume()
        val item = session.outbox().items().single()
        assertTrue("$item", item.textSent && !item.media.single().done && item.media.single().uploaded >= uploaded)
        session.sendAll()
        assertEquals(ItemState.Sent, session.outbox().items().single().state)
        val arrived = stage.ask("arrived 途中で落ちた")
        assertEquals("1", arrived["times"])
        assertEquals("Video Ready 720x1280", arrived["files"])
        // The film once, the chunk that was on its way twice, and what sessions and headers take.
        val sent = stage.ask("sent").getValue("bytes").toULong() - before
        assertTrue("$sent bytes sent for $length", sent < length + CHUNK + 100_000u)
    }

    @Test
    fun aPushIsFetchedAndShown() = play {
        val session = nurse()
        session.registerPush(PushProvider.FCM, "ok-kotlin")
        val id = stage.ask("post 夕方に発熱、37.8度").getValue("id")
        val payload = stage.ask("push ok-kotlin").getValue("payload")
        assertFalse(payload, "発熱" in payload)
        val shown = session.handlePush(payload)
        assertFalse(shown.locked, "発熱" in shown.locked || town.getValue("patient_name") in shown.locked)
        val unlocked = shown.unlocked!!
        assertEquals(NoticeKind.POST_PUBLISHED, unlocked.kind)
        assertEquals(id, unlocked.postId)
        assertEquals(town["patient_name"], unlocked.patientName)
        assertEquals("夕方に発熱、37.8度", unlocked.preview)
        refused<MobileException.Invalid> { session.handlePush("""{"from":"another app"}""") }
        stage.ask("cut")
        assertFalse("kept for reading, and not marked as read", session.posts().post(id).post.read)
        stage.ask("mend")
        session.posts().acknowledge(id, true)
        session.outbox().flush(true)
        assertTrue(session.posts().post(id).post.run { read && acknowledged })
    }

    @Test
    fun aFilmIsPreparedBesideTheScreenAndSent() = play {
        val session = nurse()
        val screen = Thread.currentThread()
        var ticks = 0
        val clock = launch {
            while (true) {
                delay(10)
                ticks += 1
            }
        }
        val heard = ConcurrentLinkedQueue<Pair<Float, Thread>>()
        val listener = object : ProgressListener {
            override fun onProgress(done: Float) {
                heard += done to Thread.currentThread()
            }
        }
        val id = session.outbox().compose(draft("歩行の様子", film()))
        session.outbox().flush(true)
        assertEquals("the text does not wait", mapOf("times" to "1", "files" to "Video Pending 0x0"), stage.ask("arrived 歩行の様子"))
        session.outbox().prepare(listener)
        clock.cancelAndJoin()
        assertTrue("the screen stood still: $ticks", ticks > 10)
        val steps = heard.map { it.first }
        assertEquals(steps.sorted(), steps)
        assertEquals(1f, steps.last())
        assertTrue(heard.none { it.second == screen })

        session.sendAll()
        assertEquals(mapOf("times" to "1", "files" to "Video Ready 720x1280"), stage.ask("arrived 歩行の様子"))
        val media = session.posts().post(id).post.media.single()
        val player = File(folder, "play.mp4")
        assertEquals(media.length, session.posts().media(media.id, player.path))
        assertEquals(media.length.toLong(), player.length())
        assertEquals(4_000.0, media.durationMs!!.toDouble(), 300.0)
    }

    @Test
    fun longWorkIsCancelled() = play {
        val session = nurse()
        val token = CancelToken()
        val cancels = object : ProgressListener {
            override fun onProgress(done: Float) = token.cancel()
        }
        val dropped = session.outbox().compose(draft("やめた", film()))
        refused<MobileException.Cancelled> { session.until(token).outbox().prepare(cancels) }
        assertTrue(token.isCancelled())

        val begun = CompletableDeferred<Unit>()
        val listener = object : ProgressListener {
            override fun onProgress(done: Float) {
                begun.complete(Unit)
            }
        }
        val preparing = launch { session.outbox().prepare(listener) }
        begun.await()
        preparing.cancelAndJoin()
        assertEquals("it waits", FileState.Planned, session.outbox().items().single().media.single().state)
        session.outbox().takeBack(dropped)
        assertTrue("nothing is kept", session.outbox().items().isEmpty())

        session.outbox().compose(draft("止めてから送る", film()))
        session.outbox().prepare()
        stage.ask("stall 400000")
        val stop = CancelToken()
        val sending = async { refused<MobileException.Cancelled> { session.until(stop).outbox().flush(true) } }
        val item = session.underWay()
        stop.cancel()
        sending.await()
        assertTrue(item.textSent)
        assertEquals("it waits", ItemState.Sending, session.outbox().items().single().state)
        stage.ask("flow")
        session.sendAll()
        assertEquals("1", stage.ask("arrived 止めてから送る")["times"])
        assertEquals("0", stage.ask("arrived やめた")["times"])

        val second = session.outbox().compose(draft("取り消す"))
        session.outbox().takeBack(second)
        session.sendAll()
        assertEquals("0", stage.ask("arrived 取り消す")["times"])
    }

    @Test
    fun aLineThatHangsIsLeftAndNothingIsHalfDone() = play {
        val device = open(folder, town).apply { enrol(stage, town) }
        val session = device.firstSignIn(stage)
        session.patients().list()
        stage.ask("stall 0")
        val hung = CancelToken()
        val calls = listOf<suspend () -> Any?>(
            { session.until(hung).patients().list() },
            { session.until(hung).posts().timeline(patient, null) },
            { session.until(hung).handlePush("""{"kind":"post_published","id":"0199f5a0-0000-7000-8000-000000000001"}""") },
            { device.until(hung).certificate().diagnose() },
            { device.until(hung).signIn("nobody", "nothing") },
        ).map { call -> async { runCatching { call() }.exceptionOrNull() } }
        assertTrue("what is kept waits for nobody", session.patients().listLastSeen()!!.patients.isNotEmpty())
        delay(200)
        assertTrue(calls.none { it.isCompleted })
        hung.cancel()
        withTimeout(10_000) { calls.forEach { assertTrue("${it.await()}", it.await() is MobileException.Cancelled) } }
        // The median: what counts is how the core waits, not what else a machine does.
        val waits = List(9) {
            val token = CancelToken()
            val asking = async { refused<MobileException.Cancelled> { session.until(token).patients().list() } }
            delay(20)
            assertTrue("it hangs", asking.isActive)
            val asked = System.nanoTime()
            token.cancel()
            asking.await()
            (System.nanoTime() - asked) / 1_000_000
        }
        assertTrue("$waits ms", waits.sorted()[waits.size / 2] < 200)
        withTimeout(10_000) { session.signOut() }
        val id = session.staff().id
        refused<MobileException.SignedOut> { device.person(id).resume() }
        stage.ask("flow")
    }

    @Test
    fun aPinClosesTheStore() = play {
        val device = open(folder, town).apply { enrol(stage, town) }
        val session = device.firstSignIn(stage)
        val id = session.staff().id
        assertEquals("pin", refused<MobileException.Invalid> { device.person(id).setPin(null, "111111") }.field)
        device.person(id).setPin(null, "194502")
        device.person(id).lock()
        assertEquals(StorageTrouble.Locked, refused<MobileException.Storage> { session.outbox().items() }.trouble)
        assertEquals(StorageTrouble.Locked, refused<MobileException.Storage> { device.person(id).resume() }.trouble)
        val wrong = refused<MobileException.Storage> { device.person(id).unlockWithPin("194503") }
        assertEquals(StorageTrouble.WrongPin(9u), wrong.trouble)
        device.person(id).unlockWithPin("194502")
        assertEquals(10u, device.person(id).lockState().triesLeft)
        assertNotNull(device.person(id).resume().outbox().items())
    }

    companion object {
        /** What one request of an upload carries. */
        const val CHUNK = 262_144u
    }
}
