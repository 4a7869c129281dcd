package jp.renraku.core.test

import jp.renraku.app.model.Place
import jp.renraku.app.model.Words
import jp.renraku.app.model.beginEdit
import jp.renraku.app.model.changeEdit
import jp.renraku.app.model.compose
import jp.renraku.app.model.dropEdit
import jp.renraku.app.model.edit
import jp.renraku.app.model.keepSketch
import jp.renraku.app.model.release
import jp.renraku.app.model.takeBack
import jp.renraku.core.MobileException
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** What becomes of what somebody put into the outbox. */
class EditingTest : AtWork() {
    @Test
    fun whatLeavesTheOutboxIsNotBeingWrittenAnyMore() = play {
        val work = atWork().work
        var film = work.begin("A", "左踵", "walk")
        work.keepSketch()
        work.jot { it.copy(body = "左踵、2cm") }
        assertTrue(work.release(work.item()))
        assertEquals("with the last word", "左踵、2cm" to false, outbox.only.let { it.body to it.keepAsDraft })
        assertNull(work.sketch)
        assertFalse(film.exists())
        outbox.posts.clear()

        film = work.begin("A", "右踵", "stairs")
        work.keepSketch()
        assertTrue(work.takeBack(work.item()))
        assertNull(work.sketch)
        assertFalse(film.exists())
        assertNull(work.keepSketch())
        assertTrue("and stays taken back", outbox.posts.isEmpty())

        // Nothing goes of which the newest could not be kept.
        work.begin("A", "腰", "sit")
        work.keepSketch()
        val item = work.item()
        work.jot { it.copy(body = "腰、5cm") }
        outbox.refusal = full
        assertFalse(work.release(item))
        outbox.refusal = null
        assertTrue(outbox.only.keepAsDraft)
        assertEquals("腰、5cm", work.sketch?.body)
    }

    @Test
    fun theWayBackFromWritingShowsTheDraftAsItIs() = play {
        val work = atWork().work
        work.begin("A", "左踵", "walk")
        work.go(Place.Compose("A"))
        work.back()
        yield()
        assertTrue("it was never left", outbox.posts.isEmpty())
        work.keepSketch()
        work.go(Place.Compose("A"))
        work.jot { it.copy(body = "左踵、2cm") }
        work.back()
        until("it is as it was") { work.state.value.outbox.singleOrNull()?.body == "左踵、2cm" }
    }

    @Test
    fun anEditorClosesWhenItsTextIsKept() = play {
        val model = atWork()
        val work = model.work
        work.begin("A", "左踵", "walk")
        assertTrue(work.compose(asDraft = true))
        work.beginEdit(work.item())
        assertFalse(work.state.value.editing!!.isChanged)
        work.changeEdit("右踵", urgent = true)
        assertTrue(work.state.value.editing!!.isChanged)
        outbox.refusal = full
        assertFalse(work.edit())
        assertEquals("右踵" to Words.sentence(full), work.state.value.editing!!.let { it.body to it.trouble })
        assertNull("it stands beside the text", work.state.value.trouble)
        outbox.refusal = MobileException.Conflict("already_sent")
        assertFalse(work.edit())
        assertEquals("右踵" to Words.LEFT_ALREADY, work.state.value.editing!!.let { it.body to it.trouble })
        outbox.refusal = null
        model.lock()
        model.signIn("nurse", "x").join()
        assertEquals("after a lock", "右踵", model.work.state.value.editing?.body)
        assertTrue(model.work.edit())
        assertNull(model.work.state.value.editing)
        assertEquals("右踵" to true, outbox.only.let { it.body to it.urgent })

        model.work.beginEdit(model.work.item())
        model.work.dropEdit()
        assertFalse(model.work.edit())
        model.lock()
        model.signIn("carer", "x").join()
        assertNull(model.work.state.value.editing)
    }

    @Test
    fun whatIsStillBeingWrittenIsChangedAsItIsNow() = play {
        val work = atWork().work
        val film = work.begin("A", "左踵", "walk")
        work.keepSketch()
        val item = work.item()
        work.jot { it.copy(body = "左踵、2cm") }
        outbox.refusal = full
        work.beginEdit(item)
        assertNull("what could not be kept is not hidden", work.state.value.editing)
        outbox.refusal = null
        work.beginEdit(item)
        assertEquals("左踵、2cm", work.state.value.editing?.body)
        work.changeEdit("左踵、3cm", urgent = false)
        assertTrue(work.edit())
        assertNull(work.sketch)
        assertFalse(film.exists())
        assertEquals("左踵、3cm" to listOf("walk"), outbox.only.body to outbox.files.values.single())
    }
}
