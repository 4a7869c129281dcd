package jp.renraku.core.test

import jp.renraku.app.model.AppModel
import jp.renraku.app.model.Shot
import jp.renraku.app.model.Sketch
import jp.renraku.app.model.Stage as Screen
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.beginSketch
import jp.renraku.core.Item
import jp.renraku.core.MobileException
import jp.renraku.core.StorageTrouble
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import java.io.File

/** A nurse at work, over stand-ins for the core's objects. */
abstract class AtWork {
    /** Where films lie in the clear. */
    @get:Rule
    val clear = TemporaryFolder()

    internal val towns = FakeTowns(null to "minowa")
    internal val outbox get() = towns.outbox("nurse-minowa")
    protected val full = MobileException.Storage(StorageTrouble.Full)
    protected var time = 0L

    /** A finger can be recognised. */
    protected var recognises = true

    /** What was left in the clear at each sweep. */
    protected val swept = mutableListOf<Set<File>>()

    protected fun play(test: suspend CoroutineScope.() -> Unit) = runBlocking {
        withTimeout(20_000) {
            test()
            coroutineContext.cancelChildren()
        }
    }

    internal suspend fun CoroutineScope.atWork(towns: FakeTowns = this@AtWork.towns): AppModel {
        val model = fakeModel(towns, now = { time }, sweep = { swept += it }, canRecognise = { recognises })
        model.start().join()
        model.signIn("nurse", "x").join()
        return model
    }

    protected val AppModel.work: WorkModel get() = checkNotNull(state.value.work) { state.value.toString() }

    protected val WorkModel.sketch: Sketch? get() = state.value.sketch

    protected fun shot(text: String) = Shot(clear.newFile("$text.mp4").apply { writeText(text) }, isVideo = true)

    /** Begins a post with a film. */
    protected fun WorkModel.begin(patient: String, body: String, film: String): File {
        val shot = shot(film)
        beginSketch(patient)
        assertTrue(jot { it.copy(body = body, shots = listOf(shot)) })
        return shot.file
    }

    protected suspend fun WorkModel.item(): Item {
        loadOutbox()
        return state.value.outbox.single()
    }

    protected suspend fun until(what: String, holds: () -> Boolean) {
        repeat(2_000) {
            if (holds()) return
            delay(1)
        }
        error(what)
    }

    protected suspend fun AppModel.lock() {
        left()
        time += 60_000
        returned().join()
        assertEquals(Screen.SIGN_IN, state.value.stage)
    }
}
