package jp.renraku.core.test

import java.io.File
import jp.renraku.app.model.Frame
import jp.renraku.app.model.Marking
import jp.renraku.app.model.Marks
import jp.renraku.app.model.Shot
import jp.renraku.app.model.Sketch
import jp.renraku.app.model.Spot
import jp.renraku.core.MarkCover
import jp.renraku.core.MarkOutline
import jp.renraku.core.PhotoMark
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** Where a finger marks a photo, and what of a photo or film goes into the draft. */
class MarkingTest {
    @Test
    fun aFingerMarksSharesOfThePicture() {
        val wide = Marking(400f, 800f, 4000f, 3000f)
        assertEquals(Frame(0f, 250f, 400f, 300f), wide.picture)
        val high = Marking(800f, 400f, 3000f, 4000f)
        assertEquals(Frame(250f, 0f, 300f, 400f), high.picture)

        fun Marking.black(from: Spot, to: Spot) = area(from, to, MarkCover.BLACK, MarkOutline.RECTANGLE)
        assertEquals(mark(0.25f, 0f, 0.5f, 0.5f), wide.black(Spot(100f, 250f), Spot(300f, 400f)))
        assertEquals("backwards", mark(0.25f, 0f, 0.5f, 0.5f), wide.black(Spot(300f, 400f), Spot(100f, 250f)))
        assertEquals("beyond the edge", mark(0.5f, 0.5f, 0.5f, 0.5f), high.black(Spot(400f, 200f), Spot(790f, 500f)))
        assertNull("beside the picture", high.black(Spot(10f, 10f), Spot(240f, 390f)))
        assertNull("a slip", wide.black(Spot(100f, 300f), Spot(107f, 400f)))
        assertNull("a slip", wide.black(Spot(100f, 300f), Spot(200f, 305f)))
        val frame = high.frame(mark(0.5f, 0.25f, 0.5f, 0.5f))
        assertEquals(Frame(400f, 100f, 150f, 200f), frame)
    }

    @Test
    fun aTapMeansTheUppermostArea() {
        val marking = Marking(400f, 400f, 100f, 100f)
        val round = mark(0.5f, 0.5f, 0.5f, 0.5f, MarkOutline.ELLIPSE)
        val all = listOf(mark(0f, 0f, 0.75f, 0.75f), mark(0.25f, 0.25f, 0.25f, 0.25f), round)
        assertEquals(1, marking.hit(all, Spot(150f, 150f), 0f))
        assertEquals(0, marking.hit(all, Spot(50f, 50f), 0f))
        assertEquals("outside the ellipse's line", 0, marking.hit(all, Spot(205f, 205f), 0f))
        assertEquals(2, marking.hit(all, Spot(300f, 300f), 0f))
        assertNull(marking.hit(all, Spot(395f, 5f), 48f))
        assertEquals("small ones have room", 0, marking.hit(listOf(mark(0.5f, 0.5f, 0.02f, 0.02f)), Spot(225f, 225f), 48f))

        var marks = Marks(all).without(1)
        assertEquals(listOf(all[0], all[2]), marks.all)
        marks = marks.plus(all[1]).undone()
        assertEquals(listOf(all[0], all[2]), marks.all)
        assertEquals(all, marks.undone().all)
        assertFalse(marks.undone().canUndo)

        val full = Marks(List(500) { all[1] })
        assertEquals("more is not taken by the core", full, full.plus(all[0]))
        assertEquals(500, full.without(0).plus(all[0]).all.size)
    }

    @Test
    fun aDraftCarriesTheMarksOfItsPhotosAndWhatIsHeard() {
        val (photo, film) = File("a.jpg") to File("b.mp4")
        val marks = listOf(mark(0f, 0f, 0.5f, 0.5f))
        var sketch = Sketch("patient", shots = listOf(Shot(photo, isVideo = false), Shot(film, isVideo = true)))
        sketch = sketch.mark(photo, marks).mark(film, marks)
        assertEquals(listOf(marks, emptyList()), sketch.draft(asDraft = false).attachments.map { it.marks })
        assertTrue(sketch.draft(asDraft = false).attachments.all { it.handOver })
        sketch = sketch.keepSound(film, false)
        assertEquals(listOf(true, false), sketch.draft(asDraft = false).attachments.map { it.sound })
    }

    private fun mark(left: Float, top: Float, width: Float, height: Float, outline: MarkOutline = MarkOutline.RECTANGLE) =
        PhotoMark(MarkCover.BLACK, outline, left, top, width, height)
}
