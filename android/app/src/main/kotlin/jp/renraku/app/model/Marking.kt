// Where a finger marks what a photo must not show: a view that shows all of the upright picture, the picture's shares,
// and back. Pure, any thread. Not here: covering the areas, which the core does.

package jp.renraku.app.model

import jp.renraku.core.MarkCover
import jp.renraku.core.MarkOutline
import jp.renraku.core.PhotoMark

/** A place in the view. */
data class Spot(val x: Float, val y: Float)

/** An upright rectangle in the view. */
data class Frame(val left: Float, val top: Float, val width: Float, val height: Float) {
    /** As large as a finger needs it, around the same middle. */
    fun atLeast(size: Float): Frame {
        val (wide, high) = maxOf(width, size) to maxOf(height, size)
        return Frame(left - (wide - width) / 2, top - (high - height) / 2, wide, high)
    }

    fun holds(spot: Spot, outline: MarkOutline): Boolean {
        // From the middle, 1 is the edge.
        val x = (spot.x - left) / width * 2 - 1
        val y = (spot.y - top) / height * 2 - 1
        return when (outline) {
            MarkOutline.RECTANGLE -> x in -1f..1f && y in -1f..1f
            MarkOutline.ELLIPSE -> x * x + y * y <= 1
        }
    }
}

/** A view and a picture in it, scaled to fit and in the middle. No length is 0. */
data class Marking(val viewWidth: Float, val viewHeight: Float, val pictureWidth: Float, val pictureHeight: Float) {
    /** Where the picture lies in the view. */
    val picture: Frame
        get() {
            val scale = minOf(viewWidth / pictureWidth, viewHeight / pictureHeight)
            val (width, height) = pictureWidth * scale to pictureHeight * scale
            return Frame((viewWidth - width) / 2, (viewHeight - height) / 2, width, height)
        }

    /** What a drag between two corners marks, cut off at the picture's edge; none for a slip of the finger. */
    fun area(from: Spot, to: Spot, cover: MarkCover, outline: MarkOutline): PhotoMark? {
        val (one, other) = share(from) to share(to)
        val (left, top) = minOf(one.x, other.x) to minOf(one.y, other.y)
        val (width, height) = maxOf(one.x, other.x) - left to maxOf(one.y, other.y) - top
        if (width < SLIP || height < SLIP) return null
        return PhotoMark(cover, outline, left, top, width, height)
    }

    /** Where an area lies in the view. */
    fun frame(mark: PhotoMark): Frame {
        val frame = picture
        return Frame(
            frame.left + mark.left * frame.width,
            frame.top + mark.top * frame.height,
            mark.width * frame.width,
            mark.height * frame.height,
        )
    }

    /** Which area a tap means, the uppermost first; else one so small that a finger needs this much room. */
    fun hit(marks: List<PhotoMark>, spot: Spot, room: Float): Int? =
        marks.indices.lastOrNull { frame(marks[it]).holds(spot, marks[it].outline) }
            ?: marks.indices.lastOrNull { frame(marks[it]).atLeast(room).holds(spot, marks[it].outline) }

    private fun share(spot: Spot): Spot {
        val frame = picture
        val x = ((spot.x - frame.left) / frame.width).coerceIn(0f, 1f)
        val y = ((spot.y - frame.top) / frame.height).coerceIn(0f, 1f)
        return Spot(x, y)
    }

    private companion object {
        /** Less than this share of a side is no area. */
        const val SLIP = 0.02f
    }
}

/** The areas of one photo, and what they were before each step since its marking began. */
data class Marks(val all: List<PhotoMark>, val before: List<List<PhotoMark>> = emptyList()) {
    val canUndo: Boolean get() = before.isNotEmpty()

    fun plus(mark: PhotoMark): Marks = if (all.size < MOST) Marks(all + mark, before + listOf(all)) else this

    fun without(index: Int): Marks = Marks(all.filterIndexed { i, _ -> i != index }, before + listOf(all))

    /** Takes the last step back. */
    fun undone(): Marks = if (canUndo) Marks(before.last(), before.dropLast(1)) else this

    private companion object {
        /** What the core takes. */
        const val MOST = 500
    }
}
