// Writing a post: the patient's name stays in sight, the camera stands within the thumb's reach.

package jp.renraku.app.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.toggleable
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.DropdownMenu
import androidx.compose.material3.DropdownMenuItem
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Switch
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.Shot
import jp.renraku.app.model.Sketch
import jp.renraku.app.model.Words
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.WorkState
import jp.renraku.app.model.beginSketch
import jp.renraku.app.model.change
import jp.renraku.app.model.compose
import jp.renraku.app.platform.Places
import jp.renraku.core.BodySite
import jp.renraku.core.PatientId
import jp.renraku.core.PostId
import kotlinx.coroutines.launch
import java.io.File

private const val MOST_SHOTS = 10

@Composable
fun ComposeScreen(
    work: WorkModel,
    state: WorkState,
    places: Places,
    id: PatientId,
    onShot: (PostId, Shot) -> Unit,
) {
    // The post that the camera was opened for, and the picture that is marked.
    var shooting by remember { mutableStateOf<PostId?>(null) }
    var marking by remember { mutableStateOf<File?>(null) }
    var removing by remember { mutableStateOf<Shot?>(null) }
    val begun = state.sketch?.patientId == id
    LaunchedEffect(id, begun) { work.beginSketch(id) }
    LaunchedEffect(id) { if (state.patient?.id != id) work.loadTimeline(id) }
    val sketch = state.sketch?.takeIf { begun } ?: Sketch(id)
    val change = { how: (Sketch) -> Sketch -> work.change(sketch.id, how) }
    shooting?.let { post ->
        CameraScreen(places, work.town.videoSeconds.toLong(), onTrouble = work::tell) { shot ->
            if (shot != null) onShot(post, shot)
            shooting = null
        }
        return
    }
    // Nothing is added to what is being kept.
    val busy = state.composing == sketch.id
    if (busy) marking = null
    sketch.shots.find { it.file == marking }?.let { shot ->
        MarkScreen(shot, { marks -> change { it.mark(shot.file, marks) } }) { marking = null }
        return
    }
    Screen(
        work.town.wordPost,
        actions = { Actions(work, sketch, state.composing != null) { shooting = sketch.id } },
    ) {
        PatientStrip(state, id)
        Column(Modifier.verticalScroll(rememberScrollState()).padding(16.dp)) {
            Body(sketch, work.town.postCharsGuidance.toInt()) { body -> change { it.copy(body = body) } }
            Site(sketch.site) { site -> change { it.copy(site = site) } }
            if (work.town.urgentFlag || sketch.urgent) {
                UrgentSwitch(sketch.urgent) { on -> change { it.copy(urgent = on) } }
            }
            if (sketch.urgent) {
                Text("急ぎのときは、電話でも連絡してください。", color = MaterialTheme.colorScheme.error)
            }
            for (shot in sketch.shots) {
                val sound: (Boolean) -> Unit = { on -> change { it.keepSound(shot.file, on) } }
                ShotRow(shot, busy, onMark = { marking = shot.file }, onSound = sound) { removing = shot }
            }
        }
    }
    removing?.let { shot ->
        Ask(
            if (shot.isVideo) "この動画を削除します。元には戻せません。" else "この写真を削除します。元には戻せません。",
            "削除",
            no = "残す",
            onYes = {
                removing = null
                if (change { it.without(shot.file) }) shot.file.delete()
            },
            onNo = { removing = null },
        )
    }
}

/** What was taken: a photo with what is marked on it. */
@Composable
private fun ShotRow(
    shot: Shot,
    busy: Boolean,
    onMark: () -> Unit,
    onSound: (Boolean) -> Unit,
    onRemove: () -> Unit,
) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 56.dp).padding(vertical = 4.dp),
        horizontalArrangement = Arrangement.spacedBy(8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        if (!shot.isVideo) SmallPhoto(shot)
        Text(if (shot.isVideo) "動画" else "写真", Modifier.weight(1f))
        if (shot.isVideo) {
            // The voices of a room are personal data, too.
            Row(
                Modifier.heightIn(min = 48.dp).toggleable(shot.sound, !busy, Role.Switch, onSound),
                horizontalArrangement = Arrangement.spacedBy(8.dp),
                verticalAlignment = Alignment.CenterVertically,
            ) {
                Text("音声")
                Switch(shot.sound, onCheckedChange = null, enabled = !busy)
            }
        } else {
            val title = if (shot.marks.isEmpty()) "隠す" else "隠す（${shot.marks.size}）"
            SmallButton(title, enabled = !busy, onClick = onMark)
        }
        SmallButton("削除", enabled = !busy, onClick = onRemove)
    }
}

/** 緊急（重要）: for towns that have the mark, and to take it off a post of one that has not any more. */
@Composable
fun UrgentSwitch(urgent: Boolean, onChange: (Boolean) -> Unit) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 56.dp).toggleable(urgent, role = Role.Switch, onValueChange = onChange),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Text("緊急（重要）", Modifier.weight(1f))
        Switch(urgent, onCheckedChange = null)
    }
}

@Composable
private fun Actions(work: WorkModel, sketch: Sketch, busy: Boolean, onShoot: () -> Unit) {
    val scope = rememberCoroutineScope()
    val keep = { draft: Boolean -> scope.launch { if (work.compose(draft)) work.back() } }
    BigButton("撮影する", prominent = false, enabled = !busy && sketch.shots.size < MOST_SHOTS, onClick = onShoot)
    Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
        BigButton("下書き", Modifier.weight(1f), prominent = false, enabled = !busy && !sketch.isEmpty) { keep(true) }
        BigButton("送信", Modifier.weight(1f), enabled = !busy && !sketch.isEmpty) { keep(false) }
    }
}

@Composable
private fun PatientStrip(state: WorkState, id: PatientId) {
    val patient = state.patient?.takeIf { it.id == id } ?: return
    Column(Modifier.fillMaxWidth().padding(horizontal = 16.dp)) {
        Text(
            "${patient.name}　${patient.age}歳・${Words.gender(patient.gender)}",
            style = MaterialTheme.typography.titleLarge,
        )
        Text("支援チーム ${maxOf(patient.team.size - 1, 0)}人に届きます")
    }
}

@Composable
private fun Body(sketch: Sketch, guidance: Int, onChange: (String) -> Boolean) {
    // The field's own, beside the model's: what an input method composes must not come back a moment later.
    var text by remember(sketch.id) { mutableStateOf(sketch.body) }
    val over = guidance > 0 && sketch.count > guidance
    OutlinedTextField(
        value = text,
        onValueChange = { if (onChange(it)) text = it },
        modifier = Modifier.fillMaxWidth(),
        label = { Text("本文") },
        minLines = 4,
        supportingText = {
            Text(
                if (guidance > 0) "${sketch.count}字（目安 ${guidance}字）" else "${sketch.count}字",
                color = if (over) MaterialTheme.colorScheme.tertiary else MaterialTheme.colorScheme.onSurfaceVariant,
            )
        },
    )
}

@Composable
private fun Site(site: BodySite?, onChange: (BodySite?) -> Unit) {
    var open by remember { mutableStateOf(false) }
    Box {
        SmallButton("部位：${site?.let(Words::site) ?: "なし"}") { open = true }
        DropdownMenu(open, { open = false }) {
            for (choice in listOf(null) + BodySite.entries) {
                DropdownMenuItem(
                    text = { Text(choice?.let(Words::site) ?: "なし") },
                    onClick = {
                        onChange(choice)
                        open = false
                    },
                )
            }
        }
    }
}
