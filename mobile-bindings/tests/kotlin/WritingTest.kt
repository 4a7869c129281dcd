package jp.renraku.core.test

import jp.renraku.app.model.Place
import jp.renraku.app.model.Stage as Screen
import jp.renraku.app.model.Words
import jp.renraku.app.model.add
import jp.renraku.app.model.beginSketch
import jp.renraku.app.model.change
import jp.renraku.app.model.compose
import jp.renraku.app.model.keepSketch
import jp.renraku.app.model.pushOpened
import jp.renraku.app.model.renew
import jp.renraku.app.model.resume
import jp.renraku.app.model.setPin
import jp.renraku.app.model.takeBack
import jp.renraku.app.model.unlock
import jp.renraku.core.MobileException
import jp.renraku.core.NoticeKind
import jp.renraku.core.StorageTrouble
import jp.renraku.core.Unlocked
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** What becomes of what somebody is writing. */
class WritingTest : AtWork() {
    @Test
    fun whatIsHalfWrittenIsADraftAsSoonAsTheAppIsLeft() = play {
        val model = atWork()
        val work = model.work
        val file = work.begin("A", "左踵", "walk")
        model.left().join()
        assertEquals("左踵" to true, outbox.only.let { it.body to it.keepAsDraft })
        assertEquals(listOf("walk"), outbox.files.values.single())
        assertEquals("the writer's own stays, and no copy", listOf(file), clear.root.listFiles()!!.toList())
        model.returned().join()
        assertEquals("左踵", work.sketch?.body)
        assertEquals("and is listed", "左踵", work.item().body)

        model.left().join()
        assertEquals("what is kept already is not kept again", 1, outbox.changes)
        work.jot { it.copy(body = "左踵、2cm") }
        model.left().join()
        assertEquals("of a text alone no film is copied", "左踵、2cm" to 1, outbox.only.body to outbox.composed)
        work.jot { it.copy(shots = it.shots + shot("stairs")) }
        model.left().join()
        assertEquals(listOf("walk", "stairs"), outbox.files.values.single())

        work.jot { it.copy(body = "左踵、3cm") }
        assertTrue(work.compose(asDraft = false))
        assertEquals("左踵、3cm" to false, outbox.only.let { it.body to it.keepAsDraft })
        assertEquals(listOf("walk", "stairs"), outbox.files.values.single())
        assertNull(work.sketch)
        assertEquals(0, clear.root.listFiles()!!.size)
    }

    @Test
    fun whatIsWrittenWhenTheSessionIsOverIsKept() = play {
        val model = atWork()
        val work = model.work
        val film = work.begin("A", "左踵", "walk")
        work.keepSketch()
        work.jot { it.copy(body = "左踵、2cm") }
        val over = MobileException.SignedOut("session_revoked")
        outbox.unseen = over
        outbox.noPass = over
        work.flush(now = true)
        until("it did not end") { model.state.value.trouble != null }
        assertEquals(Screen.SIGN_IN to Words.sentence(over), model.state.value.let { it.stage to it.trouble })
        assertEquals("左踵、2cm" to true, outbox.only.let { it.body to it.keepAsDraft })
        assertEquals(listOf("walk"), outbox.files.values.single())
        assertTrue(film.exists())
    }

    @Test
    fun aDraftThatLeftIsNotTakenForKept() = play {
        val work = atWork().work
        work.begin("A", "左踵", "walk")
        work.keepSketch()
        work.jot { it.copy(body = "左踵、2cm") }
        outbox.unseen = MobileException.Conflict("already_sent")
        work.keepSketch()
        assertFalse(work.sketch!!.isSafe)
        assertEquals(1, outbox.composed)
    }

    @Test
    fun whatWasEmptiedAgainLeavesNoDraft() = play {
        val model = atWork()
        model.work.beginSketch("A")
        model.left().join()
        assertTrue("nothing was written", outbox.posts.isEmpty())
        model.work.jot { it.copy(body = "左踵") }
        model.left().join()
        assertEquals("左踵", outbox.only.body)
        model.work.jot { it.copy(body = " ") }
        model.left().join()
        assertTrue(outbox.posts.isEmpty())
        model.work.jot { it.copy(body = "右踵") }
        model.left().join()
        assertEquals("右踵", outbox.only.body)
    }

    @Test
    fun whatCannotBeKeptStaysInMemoryAndIsSaid() = play {
        val model = atWork()
        val file = model.work.begin("A", "左踵", "walk")
        outbox.refusal = full
        model.left().join()
        assertEquals(Words.unkept(full), model.work.state.value.trouble)
        assertEquals(listOf(file), clear.root.listFiles()!!.toList())
        model.lock()
        assertEquals("also on the screen of a lock", Words.unkept(full), model.state.value.trouble)
        model.signIn("nurse", "x").join()
        assertEquals("左踵", model.work.sketch?.body)
        assertEquals(listOf(Place.Timeline("A"), Place.Compose("A")), model.work.state.value.path)

        model.signOut().join()
        assertEquals("also at the sign-out", Words.unkept(full), model.state.value.trouble)
        assertTrue(file.exists())
        model.signIn("nurse", "x").join()
        assertEquals("左踵", model.work.sketch?.body)
        outbox.refusal = null
        model.signOut().join()
        assertNull(model.state.value.trouble)
        assertFalse(file.exists())
        assertEquals(listOf("walk"), outbox.files.values.single())
        model.signIn("nurse", "x").join()
        assertNull("it waits as a draft", model.work.sketch)
        assertEquals("左踵", model.work.item().body)
    }

    @Test
    fun aLockKeepsADraftOfItsWriterAndNothingForAnother() = play {
        val model = atWork()
        towns.pin = true
        val file = model.work.begin("A", "左踵", "walk")
        model.lock()
        assertTrue(outbox.only.keepAsDraft)
        model.signIn("nurse", "x").join()
        assertEquals("左踵", model.work.sketch?.body)
        assertTrue(model.work.sketch!!.isSafe)
        model.lock()
        model.signIn("carer", "x").join()
        assertNull(model.work.sketch)
        assertFalse(file.exists())
        assertEquals(listOf("walk"), outbox.files.values.single())
        assertTrue(towns.outbox("carer-minowa").posts.isEmpty())
    }

    @Test
    fun aPostAboutAnotherPatientPutsTheFirstIntoTheOutbox() = play {
        val work = atWork().work
        val file = work.begin("A", "左踵", "walk")
        outbox.refusal = full
        work.beginSketch("B")
        until("it was not told") { work.state.value.trouble != null }
        work.jot { it.copy(body = "B") }
        work.beginSketch("A")
        assertEquals("what could not be kept is gone on with", "左踵", work.sketch?.body)
        assertEquals(listOf("B"), work.state.value.aside.map { it.body })
        outbox.refusal = null
        work.beginSketch("B")
        until("it is not kept") { work.state.value.aside.isEmpty() }
        assertEquals("左踵" to true, outbox.only.let { it.body to it.keepAsDraft })
        assertEquals(listOf("walk"), outbox.files.values.single())
        assertFalse(file.exists())
        assertEquals("B", work.sketch?.body)
    }

    @Test
    fun aPostThatIsNotTakenIsNotLostBehindTheNextOne() = play {
        val work = atWork().work
        val film = work.begin("A", "左踵", "walk")
        val first = work.sketch!!
        outbox.gate = CompletableDeferred()
        val composing = async { work.compose(asDraft = false) }
        yield()
        assertFalse("it is on its way", work.change(first.id) { it.copy(body = "") })
        work.beginSketch("B")
        assertTrue("another one is not", work.jot { it.copy(body = "B") })
        assertFalse("one after the other", work.compose(asDraft = false))
        val keeping = async { work.keepSketch() }
        yield()
        assertEquals(1, outbox.composed)
        outbox.refusal = full
        outbox.gate!!.complete(Unit)
        assertFalse(composing.await())
        assertEquals(full, keeping.await())
        outbox.refusal = null
        work.beginSketch("A")
        assertEquals("左踵", work.sketch?.body)
        assertTrue(film.exists())
        assertTrue(work.compose(asDraft = false))
        assertFalse(film.exists())
        assertEquals(listOf("左踵"), outbox.posts.values.filter { !it.keepAsDraft }.map { it.body })
    }

    @Test
    fun whoeverLeavesWhileAPostIsTakenFindsItTakenOnce() = play {
        val model = atWork()
        val film = model.work.begin("A", "左踵", "walk")
        outbox.gate = CompletableDeferred()
        val screen = async { model.work.compose(asDraft = false) }
        yield()
        screen.cancel()
        model.left()
        time += 60_000
        val locking = model.returned()
        yield()
        assertNull("its screens are gone", model.state.value.work)
        outbox.gate!!.complete(Unit)
        locking.join()
        model.signIn("nurse", "x").join()
        assertNull(model.work.sketch)
        assertFalse(film.exists())
        assertFalse(outbox.only.keepAsDraft)
        assertEquals(1, outbox.composed)
    }

    @Test
    fun aPushThatOpensAnotherPatientKeepsWhatIsBeingWritten() = play {
        val model = atWork()
        model.work.begin("A", "左踵", "walk")
        towns.told = Unlocked(NoticeKind.POST_PUBLISHED, "B", null, null, null, null, false)
        model.pushOpened("{}").join()
        until("it is not kept") { outbox.posts.isNotEmpty() }
        assertEquals(listOf(Place.Timeline("B")), model.work.state.value.path)
        assertEquals("左踵", model.work.sketch?.body)
    }

    @Test
    fun aFilmThatEndsInTheBackgroundIsKept() = play {
        val model = atWork()
        val work = model.work
        work.beginSketch("A")
        val post = work.sketch!!.id
        model.left().join()
        assertTrue(work.change(post) { it.copy(shots = listOf(shot("walk"))) })
        until("it is not kept") { outbox.files.values.singleOrNull() == listOf("walk") }
        model.returned().join()
        work.jot { it.copy(body = "左踵") }
        yield()
        assertEquals("", outbox.only.body)
        assertTrue(work.takeBack(work.item()))
        work.beginSketch("A")
        assertFalse("it is another post now", work.change(post) { it.copy(shots = listOf(shot("late"))) })
    }

    @Test
    fun aFilmThatEndsWhenTheWorkHasIsNotLost() = play {
        val model = atWork()
        outbox.noPass = MobileException.SignedOut("session_revoked")
        var work = model.work
        work.beginSketch("A")
        var post = work.sketch!!.id
        work.flush(now = true)
        until("it did not end") { model.state.value.trouble != null }
        val late = shot("walk")
        model.add(work, post, late)
        outbox.noPass = null
        model.signIn("nurse", "x").join()
        assertEquals(listOf(late), model.work.sketch?.shots)
        assertEquals(listOf(Place.Timeline("A"), Place.Compose("A")), model.work.state.value.path)
        val later = shot("stairs")
        model.add(work, post, later)
        assertEquals("also when its writer is back", listOf(late, later), model.work.sketch?.shots)
        assertTrue(model.work.compose(asDraft = true))

        work = model.work
        work.beginSketch("B")
        work.jot { it.copy(body = "右踵") }
        post = work.sketch!!.id
        outbox.gate = CompletableDeferred()
        val leaving = async { model.leave(null) }
        until("it is not being kept") { outbox.composed == 2 }
        val between = shot("sit")
        model.add(work, post, between)
        outbox.gate!!.complete(Unit)
        leaving.await()
        model.signIn("nurse", "x").join()
        assertEquals("while it is being left", listOf(between), model.work.sketch?.shots)

        model.lock()
        model.signIn("carer", "x").join()
        val lost = shot("lost")
        model.add(work, post, lost)
        assertFalse("nobody's", lost.file.exists())
        assertFalse(between.file.exists())
    }

    @Test
    fun whoeverLeavesAgainAtOnceIsAwayFromThen() = play {
        val model = atWork()
        model.left()
        model.returned()
        model.left().join()
        model.work.beginSketch("A")
        assertTrue(model.work.change(model.work.sketch!!.id) { it.copy(body = "左踵") })
        until("it is not kept") { outbox.posts.isNotEmpty() }
        time += 60_000
        model.returned().join()
        assertEquals(Screen.SIGN_IN, model.state.value.stage)
    }

    @Test
    fun whatAWipedPersonWroteIsForgotten() = play {
        val model = atWork()
        towns.pin = true
        var file = model.work.begin("A", "左踵", "walk")
        model.lock()
        model.resume(model.state.value.people.single()).join()
        towns.wiped = true
        model.unlock("000000").join()
        assertEquals(Words.sentence(MobileException.Storage(StorageTrouble.Wiped)), model.state.value.trouble)
        assertFalse(file.exists())
        model.signIn("nurse", "x").join()
        assertNull(model.work.sketch)
        file = model.work.begin("A", "右踵", "stairs")
        model.setPin("000000", "194502", "194502").join()
        assertEquals("also at work", Screen.SIGN_IN, model.state.value.stage)
        assertNotNull(model.state.value.trouble)
        assertFalse(file.exists())
        model.signIn("nurse", "x").join()
        assertNull(model.work.sketch)
    }

    @Test
    fun aNewPasswordInTheMiddleOfTheWorkLosesNothing() = play {
        val model = atWork()
        val before = model.work
        val film = before.begin("A", "左踵", "walk")
        towns.refusal = MobileException.SignedOut("password_change_required")
        model.renew().join()
        assertEquals(Screen.CHANGE_PASSWORD, model.state.value.stage)
        model.changePassword("x", "y", "y").join()
        assertEquals(Screen.WORK, model.state.value.stage)
        assertTrue(model.work !== before && film.exists())
        assertEquals("左踵", model.work.sketch?.body)
    }
}
