// Marking what a photo must not show: one finger drags an area, a tap takes one away. What is chosen and done stands
// within the thumb's reach. Not here: where an area lies in the picture, which Marking says.

package jp.renraku.app.screens

import androidx.activity.compose.BackHandler
import androidx.compose.foundation.Canvas
import androidx.compose.foundation.background
import androidx.compose.foundation.gestures.awaitEachGesture
import androidx.compose.foundation.gestures.awaitFirstDown
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.navigationBarsPadding
import androidx.compose.foundation.layout.offset
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.statusBarsPadding
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.RadioButton
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberUpdatedState
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.input.pointer.AwaitPointerEventScope
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.onClick
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.IntOffset
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.Marking
import jp.renraku.app.model.Marks
import jp.renraku.app.model.Shot
import jp.renraku.app.model.Spot
import jp.renraku.core.MarkCover
import jp.renraku.core.MarkOutline
import jp.renraku.core.PhotoMark
import kotlin.math.roundToInt

/** A finger's breadth. */
private val ROOM = 48.dp

private val COVERS = listOf(MarkCover.BLACK to "黒塗り", MarkCover.BLUR to "ぼかし")
private val OUTLINES = listOf(MarkOutline.RECTANGLE to "四角", MarkOutline.ELLIPSE to "丸")

/** [onChange] gets the photo's areas at each step, so that neither a lock nor the way back loses any. */
@Composable
fun MarkScreen(shot: Shot, onChange: (List<PhotoMark>) -> Unit, onDone: () -> Unit) {
    // What is shown is what will be sent: only the way back is this screen's own.
    var before by remember(shot.file) { mutableStateOf(emptyList<List<PhotoMark>>()) }
    val marks = Marks(shot.marks, before)
    var cover by remember { mutableStateOf(MarkCover.BLACK) }
    var outline by remember { mutableStateOf(MarkOutline.RECTANGLE) }
    val photo by photo(shot.file, WHOLE_SCREEN)
    val step = { next: Marks ->
        before = next.before
        onChange(next.all)
    }
    val pad = @Composable { modifier: Modifier ->
        Box(modifier.background(Color.Black), contentAlignment = Alignment.Center) {
            val picture = photo?.picture
            when {
                photo == null -> CircularProgressIndicator()
                picture == null -> Text("写真を表示できませんでした。", color = Color.White)
                else -> Pad(picture, marks, cover, outline, step)
            }
        }
    }
    val choices = @Composable {
        Choice("隠し方", COVERS, cover) { cover = it }
        Choice("形", OUTLINES, outline) { outline = it }
        // What was written can be guessed from its mean colours.
        if (cover == MarkCover.BLUR) Text("名札や文字は、ぼかさずに黒塗りで隠してください。")
        // Said aloud at each step to those who cannot see it.
        Text("隠すところ ${marks.all.size}か所", Modifier.semantics { liveRegion = LiveRegionMode.Polite })
    }
    val buttons = @Composable {
        Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
            BigButton("元に戻す", Modifier.weight(1f), prominent = false, enabled = marks.canUndo) {
                step(marks.undone())
            }
            BigButton("完了", Modifier.weight(1f), onClick = onDone)
        }
    }
    BackHandler(onBack = onDone)
    BoxWithConstraints(Modifier.fillMaxSize()) {
        if (maxWidth > maxHeight) Beside(pad, choices, buttons) else Above(pad, choices, buttons)
    }
}

@Composable
private fun Above(pad: @Composable (Modifier) -> Unit, choices: @Composable () -> Unit, buttons: @Composable () -> Unit) {
    Column(Modifier.fillMaxSize()) {
        Instruction(Modifier.statusBarsPadding().padding(16.dp))
        pad(Modifier.fillMaxWidth().weight(1f))
        Surface(tonalElevation = 3.dp) {
            Column(
                Modifier.fillMaxWidth().navigationBarsPadding().padding(16.dp, 8.dp),
                verticalArrangement = Arrangement.spacedBy(8.dp),
            ) {
                choices()
                buttons()
            }
        }
    }
}

/** On a phone held sideways the picture needs all of the height. */
@Composable
private fun Beside(pad: @Composable (Modifier) -> Unit, choices: @Composable () -> Unit, buttons: @Composable () -> Unit) {
    Row(Modifier.fillMaxSize().navigationBarsPadding()) {
        pad(Modifier.fillMaxHeight().weight(1f))
        Surface(tonalElevation = 3.dp) {
            Column(
                Modifier.width(300.dp).fillMaxHeight().statusBarsPadding().padding(16.dp, 8.dp),
                verticalArrangement = Arrangement.spacedBy(8.dp),
            ) {
                Column(
                    Modifier.weight(1f).verticalScroll(rememberScrollState()),
                    verticalArrangement = Arrangement.spacedBy(8.dp),
                ) {
                    choices()
                    Instruction()
                }
                buttons()
            }
        }
    }
}

@Composable
private fun Instruction(modifier: Modifier = Modifier) {
    Text(
        "顔や名札など、写してはいけないところを指でなぞってください。送る写真から消えます。",
        modifier.semantics { heading() },
    )
}

/** The photo under the finger. */
@Composable
private fun Pad(
    picture: ImageBitmap,
    marks: Marks,
    cover: MarkCover,
    outline: MarkOutline,
    onStep: (Marks) -> Unit,
) = BoxWithConstraints(Modifier.fillMaxSize().padding(horizontal = 24.dp, vertical = 8.dp)) {
    // A window that leaves no room shows nothing.
    if (constraints.maxWidth == 0 || constraints.maxHeight == 0) return@BoxWithConstraints
    val marking = Marking(constraints.maxWidth.toFloat(), constraints.maxHeight.toFloat(), picture)
    val room = with(LocalDensity.current) { ROOM.toPx() }
    var drawn by remember { mutableStateOf<PhotoMark?>(null) }
    // Another hand may choose or undo while a finger draws: that must not begin the gesture anew.
    val now by rememberUpdatedState(marks)
    val chosen by rememberUpdatedState(cover to outline)
    val step by rememberUpdatedState(onStep)
    val fingers = Modifier.pointerInput(marking) {
        awaitEachGesture {
            val area = { from: Offset, to: Offset -> marking.area(from.spot(), to.spot(), chosen.first, chosen.second) }
            val (from, to) = try {
                finger { from, to -> drawn = area(from, to) } ?: (null to null)
            } finally {
                // Also when the window turns meanwhile: what is no mark must not look like one.
                drawn = null
            }
            if (from != null && to != null) {
                area(from, to)?.let { step(now.plus(it)) }
            } else if (from != null) {
                marking.hit(now.all, from.spot(), room)?.let { step(now.without(it)) }
            }
        }
    }
    Box(Modifier.fillMaxSize().then(fingers)) {
        val name = "写真。隠すところ ${marks.all.size}か所"
        Canvas(
            Modifier.fillMaxSize().semantics {
                contentDescription = name
                role = Role.Image
                // Else a double tap would be a finger's tap in the middle, and take an area away unseen.
                onClick { true }
            },
        ) { marked(picture, marks.all + listOfNotNull(drawn), marking) }
        marks.all.forEachIndexed { index, mark -> Area(index, mark, marking, room) { onStep(marks.without(index)) } }
    }
}

/** Follows one finger from where it came down: to where it went, or to none for a tap. None when it was taken away. */
private suspend fun AwaitPointerEventScope.finger(onDrag: (Offset, Offset) -> Unit): Pair<Offset, Offset?>? {
    val down = awaitFirstDown()
    var to: Offset? = null
    while (true) {
        val change = awaitPointerEvent().changes.firstOrNull { it.id == down.id } ?: return null
        if (change.isConsumed) return null
        val far = (change.position - down.position).getDistance() > viewConfiguration.touchSlop
        if (far || to != null) {
            to = change.position
            onDrag(down.position, change.position)
            change.consume()
        }
        if (!change.pressed) return down.position to to
    }
}

private fun Offset.spot() = Spot(x, y)

/** An area for those who cannot see it: what it is, and the way to take it away. Fingers go through it. */
@Composable
private fun Area(index: Int, mark: PhotoMark, marking: Marking, room: Float, onRemove: () -> Unit) {
    val frame = marking.frame(mark).atLeast(room)
    val how = "${COVERS.first { it.first == mark.cover }.second}、${OUTLINES.first { it.first == mark.outline }.second}"
    val (width, height) = with(LocalDensity.current) { frame.width.toDp() to frame.height.toDp() }
    Box(
        Modifier
            .offset { IntOffset(frame.left.roundToInt(), frame.top.roundToInt()) }
            .size(width, height)
            .semantics {
                contentDescription = "隠すところ ${index + 1}（$how）"
                onClick("取り消す") {
                    onRemove()
                    true
                }
            },
    )
}

/** One of two, side by side. */
@Composable
private fun <T> Choice(name: String, choices: List<Pair<T, String>>, chosen: T, onChoose: (T) -> Unit) {
    Row(Modifier.fillMaxWidth().selectableGroup(), verticalAlignment = Alignment.CenterVertically) {
        Text(name, Modifier.weight(1f), style = MaterialTheme.typography.titleSmall)
        for ((choice, title) in choices) {
            Row(
                Modifier
                    .weight(1.5f)
                    .heightIn(min = 48.dp)
                    .selectable(choice == chosen, role = Role.RadioButton) { onChoose(choice) },
                verticalAlignment = Alignment.CenterVertically,
            ) {
                RadioButton(choice == chosen, onClick = null)
                Text(title, Modifier.padding(start = 8.dp))
            }
        }
    }
}
