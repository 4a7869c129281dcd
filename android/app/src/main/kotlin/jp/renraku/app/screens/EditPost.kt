// Changing the text of a post that has not left yet. What is typed is the model's, so that neither the post's row nor
// the post itself takes it along when it goes.

package jp.renraku.app.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.AlertDialog
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.DialogProperties
import jp.renraku.app.model.Editing
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.changeEdit
import jp.renraku.app.model.dropEdit
import jp.renraku.app.model.edit
import kotlinx.coroutines.launch

/** The text, and 緊急 where the town has the mark or it is to be taken off. Nothing that was changed goes by a slip. */
@Composable
fun EditDialog(work: WorkModel, editing: Editing) {
    val scope = rememberCoroutineScope()
    var asking by remember(editing.item.id) { mutableStateOf(false) }
    // The field's own, beside the model's: what an input method composes must not come back a moment later.
    var text by remember(editing.item.id) { mutableStateOf(editing.body) }
    val close = { if (editing.isChanged) asking = true else work.dropEdit() }
    AlertDialog(
        onDismissRequest = close,
        properties = DialogProperties(dismissOnClickOutside = !editing.isChanged),
        confirmButton = {
            TextButton({ scope.launch { work.edit() } }, enabled = !editing.saving) { Text("保存する") }
        },
        dismissButton = { TextButton(close, enabled = !editing.saving) { Text("やめる") } },
        text = {
            Column(Modifier.verticalScroll(rememberScrollState()), verticalArrangement = Arrangement.spacedBy(8.dp)) {
                OutlinedTextField(
                    text,
                    {
                        text = it
                        work.changeEdit(it, editing.urgent)
                    },
                    Modifier.fillMaxWidth(),
                    enabled = !editing.saving,
                    label = { Text("本文") },
                    minLines = 4,
                )
                if (work.town.urgentFlag || editing.item.urgent) {
                    UrgentSwitch(editing.urgent) { work.changeEdit(text, it) }
                }
                // Always there, so that what comes into it is said aloud.
                Column(Modifier.semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite }) {
                    editing.trouble?.let { Text(it, color = MaterialTheme.colorScheme.error) }
                }
            }
        },
    )
    if (asking) {
        Ask(
            "直した内容を保存せずに閉じます。",
            "保存しない",
            no = "続ける",
            onYes = { work.dropEdit() },
            onNo = { asking = false },
        )
    }
}
