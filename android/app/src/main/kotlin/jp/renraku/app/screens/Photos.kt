// A photo that was just taken, on the screen: upright, as large as the screen needs it, with what is marked on it.
// Not here: what is sent, which the core makes from the camera's file.

package jp.renraku.app.screens

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.size
import androidx.compose.runtime.Composable
import androidx.compose.runtime.State
import androidx.compose.runtime.getValue
import androidx.compose.runtime.produceState
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.asImageBitmap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.graphics.drawscope.Stroke
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.IntOffset
import androidx.compose.ui.unit.IntSize
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.Frame
import jp.renraku.app.model.Marking
import jp.renraku.app.model.Shot
import jp.renraku.core.MarkCover
import jp.renraku.core.MarkOutline
import jp.renraku.core.PhotoMark
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException
import kotlin.math.roundToInt

/** Pixels of the longer side: enough for a phone's whole screen, and for a row of a list. */
const val WHOLE_SCREEN = 2048
private const val ROW = 384

private val BLUR = Color(0xE0B4BCC4)

/** A photo that was looked for; none in it when it cannot be shown. */
class Photo(val picture: ImageBitmap?)

/** None while it is being looked for. */
@Composable
fun photo(file: File, longest: Int): State<Photo?> = produceState<Photo?>(null, file, longest) {
    value = Photo(withContext(Dispatchers.IO) { upright(file, longest)?.asImageBitmap() })
}

/** In small, with its marks. */
@Composable
fun SmallPhoto(shot: Shot) {
    val photo by photo(shot.file, ROW)
    val name = if (shot.marks.isEmpty()) "写真" else "写真（隠すところ ${shot.marks.size}か所）"
    Canvas(
        Modifier.size(72.dp).semantics {
            contentDescription = name
            role = Role.Image
        },
    ) {
        photo?.picture?.let { marked(it, shot.marks, Marking(size.width, size.height, it)) }
    }
}

fun Marking(width: Float, height: Float, picture: ImageBitmap): Marking =
    Marking(width, height, picture.width.toFloat(), picture.height.toFloat())

/** The picture and its areas, covered as they will be. */
fun DrawScope.marked(picture: ImageBitmap, marks: List<PhotoMark>, marking: Marking) {
    val frame = marking.picture
    drawImage(
        picture,
        dstOffset = IntOffset(frame.left.roundToInt(), frame.top.roundToInt()),
        dstSize = IntSize(frame.width.roundToInt(), frame.height.roundToInt()),
    )
    for (mark in marks) covered(marking.frame(mark), mark.cover, mark.outline)
}

// A blur is made by the core alone: what stands for it here says only where. The line parts black from a dark photo.
private fun DrawScope.covered(frame: Frame, cover: MarkCover, outline: MarkOutline) {
    val (corner, size) = Offset(frame.left, frame.top) to Size(frame.width, frame.height)
    val color = if (cover == MarkCover.BLACK) Color.Black else BLUR
    val line = Stroke(1.5.dp.toPx())
    when (outline) {
        MarkOutline.RECTANGLE -> {
            drawRect(color, corner, size)
            drawRect(Color.White, corner, size, style = line)
        }
        MarkOutline.ELLIPSE -> {
            drawOval(color, corner, size)
            drawOval(Color.White, corner, size, style = line)
        }
    }
}

/** Decodes no more pixels than asked for, and turns them as the camera noted; none for what is no photo. */
private fun upright(file: File, longest: Int): Bitmap? {
    val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    BitmapFactory.decodeFile(file.path, options)
    options.inJustDecodeBounds = false
    options.inSampleSize = 1
    while (maxOf(options.outWidth, options.outHeight) / options.inSampleSize > longest) options.inSampleSize *= 2
    val stored = BitmapFactory.decodeFile(file.path, options) ?: return null
    val turn = turn(file) ?: return stored
    return Bitmap.createBitmap(stored, 0, 0, stored.width, stored.height, turn, true)
}

private fun turn(file: File): Matrix? {
    val orientation = try {
        ExifInterface(file.path).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)
    } catch (_: IOException) {
        ExifInterface.ORIENTATION_NORMAL
    }
    val (degrees, mirrored) = when (orientation) {
        ExifInterface.ORIENTATION_FLIP_HORIZONTAL -> 0f to true
        ExifInterface.ORIENTATION_ROTATE_180 -> 180f to false
        ExifInterface.ORIENTATION_FLIP_VERTICAL -> 180f to true
        ExifInterface.ORIENTATION_TRANSPOSE -> 90f to true
        ExifInterface.ORIENTATION_ROTATE_90 -> 90f to false
        ExifInterface.ORIENTATION_TRANSVERSE -> 270f to true
        ExifInterface.ORIENTATION_ROTATE_270 -> 270f to false
        else -> return null
    }
    return Matrix().apply {
        setRotate(degrees)
        if (mirrored) postScale(-1f, 1f)
    }
}
