// Before the work: the certificate, the town, signing in, the first password.

package jp.renraku.app.screens

import androidx.activity.compose.BackHandler
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.AppModel
import jp.renraku.app.model.AppState
import jp.renraku.app.model.diagnose
import jp.renraku.app.model.resume
import jp.renraku.app.model.unask
import jp.renraku.core.KnownPerson

// What is typed here is not put into the activity's saved state: that would write secrets to the disk.

@Composable
fun EnrolScreen(model: AppModel, state: AppState, onScan: () -> Unit) {
    var publicUrl by remember { mutableStateOf("https://") }
    var slug by remember { mutableStateOf("") }
    var number by remember { mutableStateOf("") }
    var password by remember { mutableStateOf("") }
    var deviceName by remember { mutableStateOf("") }
    state.scanned?.let { code ->
        LaunchedEffect(code) {
            publicUrl = code.publicUrl
            slug = code.slug
            number = code.number
            password = code.password
        }
    }
    // Before the first certificate there is nowhere to go back to.
    BackHandler(enabled = state.town != null) { model.unask() }
    val filled = listOf(slug, number, password, deviceName).all { it.isNotBlank() }
    Screen(
        if (state.adding) "別の自治体の証明書設定" else "初回の証明書設定",
        state.trouble,
        state.notice,
        actions = {
            BigButton("証明書を取得する", enabled = filled) {
                model.enrol(publicUrl, slug, number, password, deviceName)
            }
            if (state.town != null) BigButton("戻る", prominent = false) { model.unask() }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(16.dp)) {
            Text("施設の管理者に届いたメールの2次元コードを読み取るか、内容を入力してください。")
            SmallButton("2次元コードを読み取る", onClick = onScan)
            Field("自治体のアドレス", publicUrl, keyboard = KeyboardType.Uri) { publicUrl = it }
            Field("自治体の略称", slug) { slug = it }
            Field("証明書取得用No", number) { number = it }
            Field("証明書取得用パスワード", password, secret = true) { password = it }
            Field("この端末の名前（例：訪問用スマホ1）", deviceName, keyboard = KeyboardType.Text) { deviceName = it }
        }
    }
}

@Composable
fun SignInScreen(model: AppModel, state: AppState) {
    var loginId by remember { mutableStateOf("") }
    var password by remember { mutableStateOf("") }
    var forgetting by remember { mutableStateOf<KnownPerson?>(null) }
    var startingOver by remember { mutableStateOf(false) }
    Screen(
        state.town?.name ?: "連絡",
        state.trouble,
        state.notice,
        actions = {
            BigButton("サインイン", enabled = loginId.isNotBlank() && password.isNotEmpty()) {
                model.signIn(loginId, password)
                password = ""
            }
        },
    ) {
        Column(
            Modifier.verticalScroll(rememberScrollState()).padding(16.dp),
            verticalArrangement = Arrangement.spacedBy(8.dp),
        ) {
            for (person in state.people) {
                Row(
                    Modifier.fillMaxWidth(),
                    horizontalArrangement = Arrangement.spacedBy(8.dp),
                    verticalAlignment = Alignment.CenterVertically,
                ) {
                    BigButton("${person.name} で続ける", Modifier.weight(1f), prominent = false) {
                        model.resume(person)
                    }
                    SmallButton("削除") { forgetting = person }
                }
            }
            Field("ユーザーID", loginId) { loginId = it }
            Field("パスワード", password, secret = true) { password = it }
            OtherTowns(model, state)
            SmallButton("接続を確かめる") { model.diagnose() }
            if (state.enrolAnew) SmallButton("証明書を取り直す（保存データは残ります）") { model.enrolAnew() }
            SmallButton("この端末の設定をやり直す") { startingOver = true }
            state.town?.let { Text("${it.office}　${it.telephone}\n${it.hours}", Modifier.padding(vertical = 16.dp)) }
        }
    }
    forgetting?.let { person ->
        Ask(
            "${person.name} さんの保存データを端末から消します。未送信の投稿は失われます。",
            "削除",
            onYes = {
                forgetting = null
                model.forget(person)
            },
            onNo = { forgetting = null },
        )
    }
    if (startingOver) {
        val all = "証明書とすべての利用者の保存データを消します。新しい証明書取得用Noが必要です。"
        Ask(
            if (state.others.isEmpty()) all else "この自治体の${all}ほかの自治体のものは残ります。",
            "すべて消す",
            onYes = {
                startingOver = false
                model.forgetDevice()
            },
            onNo = { startingOver = false },
        )
    }
}

/** The other towns of this device, and the way to one more. */
@Composable
private fun OtherTowns(model: AppModel, state: AppState) {
    Text(
        "自治体",
        Modifier.semantics { heading() },
        style = MaterialTheme.typography.titleMedium,
    )
    for (town in state.others) SmallButton("${town.name}に切り替える") { model.switchTown(town) }
    SmallButton("別の自治体の証明書を設定する") { model.addTown() }
}

@Composable
fun ChangePasswordScreen(model: AppModel, state: AppState) {
    var current by remember { mutableStateOf("") }
    var new by remember { mutableStateOf("") }
    var again by remember { mutableStateOf("") }
    Screen(
        "パスワードの変更",
        state.trouble,
        actions = {
            val filled = current.isNotEmpty() && new.isNotEmpty() && again.isNotEmpty()
            BigButton("変更する", enabled = filled) { model.changePassword(current, new, again) }
            BigButton("やめる", prominent = false) { model.signOut() }
        },
    ) {
        Column(Modifier.verticalScroll(rememberScrollState()).padding(16.dp)) {
            Text("はじめに、ご自分のパスワードに変更してください。8文字以上で、名前やIDを含まないものにします。")
            Field("今のパスワード", current, secret = true) { current = it }
            Field("新しいパスワード", new, secret = true) { new = it }
            Field("新しいパスワード（もう一度）", again, secret = true) { again = it }
        }
    }
}
