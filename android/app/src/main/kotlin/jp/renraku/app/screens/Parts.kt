// The few parts that every screen is made of. Touch targets are at least 48 dp high, main actions stand at the
// bottom within the thumb's reach, and text follows the size that the person chose.

package jp.renraku.app.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.navigationBarsPadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.AlertDialog
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.input.PasswordVisualTransformation
import androidx.compose.ui.text.input.VisualTransformation
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.Words
import jp.renraku.app.model.WorkState

/** A main action. */
@Composable
fun BigButton(
    title: String,
    modifier: Modifier = Modifier,
    prominent: Boolean = true,
    enabled: Boolean = true,
    onClick: () -> Unit,
) {
    val size = modifier.fillMaxWidth().heightIn(min = 56.dp)
    if (prominent) {
        Button(onClick, size, enabled = enabled) { Text(title, style = MaterialTheme.typography.titleMedium) }
    } else {
        OutlinedButton(onClick, size, enabled = enabled) { Text(title, style = MaterialTheme.typography.titleMedium) }
    }
}

/** A small action inside a list. [label]: what it is called aloud, where its title alone does not say it. */
@Composable
fun SmallButton(title: String, enabled: Boolean = true, label: String? = null, onClick: () -> Unit) {
    val spoken = if (label == null) Modifier else Modifier.semantics { contentDescription = label }
    OutlinedButton(onClick, Modifier.heightIn(min = 48.dp).then(spoken), enabled = enabled) { Text(title) }
}

/** What went wrong, or what was done. It is always there, so that what comes into it is said aloud. */
@Composable
private fun Notices(trouble: String?, notice: String?) {
    Column(Modifier.semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite }) {
        if (trouble != null) Text(trouble, color = MaterialTheme.colorScheme.error)
        if (notice != null) Text(notice)
    }
}

/** A screen: its name, its content, and in the lower third what went wrong or was done, and the main actions. */
@Composable
fun Screen(
    title: String,
    trouble: String? = null,
    notice: String? = null,
    actions: @Composable ColumnScope.() -> Unit = {},
    content: @Composable ColumnScope.() -> Unit,
) {
    Scaffold(
        bottomBar = {
            Surface(tonalElevation = 3.dp) {
                Column(
                    Modifier.fillMaxWidth().navigationBarsPadding().imePadding().padding(16.dp),
                    verticalArrangement = Arrangement.spacedBy(12.dp),
                ) {
                    Notices(trouble, notice)
                    actions()
                }
            }
        },
    ) { inner ->
        Column(Modifier.fillMaxSize().padding(inner)) {
            Text(
                title,
                Modifier.padding(16.dp).semantics { heading() },
                style = MaterialTheme.typography.headlineSmall,
            )
            content()
        }
    }
}

/** A line of input with its name, which stays when something is typed. */
@Composable
fun Field(
    name: String,
    text: String,
    secret: Boolean = false,
    keyboard: KeyboardType = KeyboardType.Ascii,
    onChange: (String) -> Unit,
) {
    OutlinedTextField(
        value = text,
        onValueChange = onChange,
        modifier = Modifier.fillMaxWidth().padding(vertical = 4.dp),
        label = { Text(name) },
        singleLine = true,
        visualTransformation = if (secret) PasswordVisualTransformation() else VisualTransformation.None,
        keyboardOptions = KeyboardOptions(keyboardType = if (secret) KeyboardType.Password else keyboard),
    )
}

/** Asks before something is lost. */
@Composable
fun Ask(question: String, yes: String, no: String = "やめる", onYes: () -> Unit, onNo: () -> Unit) {
    AlertDialog(
        onDismissRequest = onNo,
        confirmButton = { TextButton(onYes) { Text(yes, color = MaterialTheme.colorScheme.error) } },
        dismissButton = { TextButton(onNo) { Text(no) } },
        text = { Text(question) },
    )
}

/** Says that the screen shows what was known last, and when that was. */
@Composable
fun StaleLine(state: WorkState) {
    if (state.stale) {
        Text(
            Words.stale(state.seenAt),
            Modifier.padding(horizontal = 16.dp, vertical = 4.dp),
            color = MaterialTheme.colorScheme.tertiary,
        )
    }
}
