// Which screen is shown, by the stage of AppModel and the path of WorkModel.

package jp.renraku.app.screens

import androidx.activity.compose.BackHandler
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.statusBarsPadding
import androidx.compose.material3.AlertDialog
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.Dialog
import androidx.compose.ui.window.DialogProperties
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import jp.renraku.app.model.AppModel
import jp.renraku.app.model.AppState
import jp.renraku.app.model.Place
import jp.renraku.app.model.Stage
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.add
import jp.renraku.app.platform.Places

@Composable
fun Root(model: AppModel, places: Places, onScan: () -> Unit) {
    val state by model.state.collectAsStateWithLifecycle()
    MaterialTheme {
        Surface(Modifier.fillMaxSize()) {
            val work = state.work
            when (state.stage) {
                Stage.OPENING -> Waiting()
                Stage.CLOSED -> Screen(
                    "アプリを開けませんでした",
                    state.trouble,
                    actions = { BigButton("もう一度") { model.start() } },
                ) {}
                Stage.ENROL -> EnrolScreen(model, state, onScan)
                // What was typed for one town is not for another.
                Stage.SIGN_IN -> key(state.town?.slug) { SignInScreen(model, state) }
                Stage.PIN -> PinScreen(model, state)
                Stage.CHANGE_PASSWORD -> ChangePasswordScreen(model, state)
                Stage.WORK -> if (work != null) WorkScreens(model, state, work, places)
            }
        }
        if (state.busy) {
            // A dialog of its own takes the touches, so that nothing is pressed twice.
            Dialog({}, DialogProperties(dismissOnBackPress = false, dismissOnClickOutside = false)) {
                CircularProgressIndicator()
            }
        }
    }
}

/** A line about a push. */
@Composable
private fun News(line: String, onClose: () -> Unit) {
    Surface(Modifier.fillMaxWidth().statusBarsPadding().clickable(onClick = onClose), tonalElevation = 6.dp) {
        Text(line, Modifier.heightIn(min = 48.dp).padding(16.dp), maxLines = 2)
    }
}

@Composable
private fun Waiting() {
    Box(Modifier.fillMaxSize(), contentAlignment = Alignment.Center) { CircularProgressIndicator() }
}

@Composable
private fun WorkScreens(model: AppModel, app: AppState, work: WorkModel, places: Places) {
    val state by work.state.collectAsStateWithLifecycle()
    BackHandler(enabled = state.path.isNotEmpty()) { work.back() }
    Box {
        when (val place = state.path.lastOrNull()) {
            null -> PatientsScreen(model, app, work, state)
            is Place.Timeline -> TimelineScreen(work, state, places, place.id)
            is Place.Compose -> ComposeScreen(work, state, places, place.id) { id, shot ->
                model.add(work, id, shot)
            }
            is Place.Readers -> ReadersScreen(work, state, place.id)
            is Place.Outbox -> OutboxScreen(work, state)
            is Place.Safety -> SafetyScreen(model, app)
        }
        // Always there, so that what comes into it is said aloud.
        Box(Modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite }) {
            state.news?.let { News(it) { work.hush() } }
        }
    }
    // Over whatever is shown: what is typed there survives what becomes of its row.
    state.editing?.let { EditDialog(work, it) }
    state.trouble?.let { trouble ->
        AlertDialog(
            onDismissRequest = { work.hush() },
            confirmButton = { TextButton({ work.hush() }) { Text("閉じる") } },
            text = { Text(trouble) },
        )
    }
}
