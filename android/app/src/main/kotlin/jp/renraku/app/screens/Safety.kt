// What guards this device: the PIN on the way in, and where PIN, finger or face and the certificate are seen to.

package jp.renraku.app.screens

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.AppModel
import jp.renraku.app.model.AppState
import jp.renraku.app.model.dropBiometrics
import jp.renraku.app.model.renew
import jp.renraku.app.model.resume
import jp.renraku.app.model.setPin
import jp.renraku.app.model.unask
import jp.renraku.app.model.unlock
import jp.renraku.app.model.useBiometrics

@Composable
fun PinScreen(model: AppModel, state: AppState) {
    val person = state.asked ?: return
    val finger = remember(state.lock) { state.lock?.biometrics == true && model.canRecognise() }
    var pin by remember(person) { mutableStateOf("") }
    Screen(
        "${person.name} さんのPIN",
        state.trouble,
        actions = {
            BigButton("開く", enabled = pin.isNotEmpty()) {
                model.unlock(pin)
                pin = ""
            }
            if (finger) {
                BigButton("指紋・顔で開く", prominent = false) { model.resume(person) }
            }
            BigButton("やめる", prominent = false) { model.unask() }
        },
    ) {
        Column(Modifier.padding(16.dp)) {
            Text("続けて10回まちがえると、この方の保存データは端末から消えます。")
            Field("PIN", pin, secret = true) { pin = it }
        }
    }
}

@Composable
fun SafetyScreen(model: AppModel, state: AppState) {
    val lock = state.lock
    val finger = remember(lock) { model.canRecognise() }
    var current by remember { mutableStateOf("") }
    var pin by remember { mutableStateOf("") }
    var again by remember { mutableStateOf("") }
    Screen(
        "この端末の安全",
        state.trouble,
        state.notice,
        actions = {
            val filled = pin.isNotEmpty() && again.isNotEmpty() && (lock?.pin == false || current.isNotEmpty())
            BigButton(if (lock?.pin == true) "PINを変更する" else "PINを設定する", enabled = lock != null && filled) {
                model.setPin(current.takeIf { lock?.pin == true }, pin, again)
                current = ""
                pin = ""
                again = ""
            }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(16.dp)) {
            if (lock?.pin == true) Field("今のPIN", current, secret = true) { current = it }
            Text("6文字以上。同じ数字の繰り返しや 123456 のような並びは使えません。", Modifier.padding(vertical = 8.dp))
            Field("新しいPIN", pin, secret = true) { pin = it }
            Field("新しいPIN（もう一度）", again, secret = true) { again = it }
            if (lock?.pin == true && lock.biometrics) {
                SmallButton("指紋・顔では開かない") { model.dropBiometrics() }
            } else if (lock?.pin == true && finger) {
                SmallButton("指紋・顔でも開く（今のPINを入力）", enabled = current.isNotEmpty()) {
                    model.useBiometrics(current)
                    current = ""
                }
            }
            if (state.renewalDue) {
                Text("この端末の証明書の期限が近づいています。", Modifier.padding(top = 24.dp, bottom = 8.dp))
                SmallButton("証明書を更新する") { model.renew() }
            }
        }
    }
}
