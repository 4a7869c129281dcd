// The lists: patients, what is on its way from this device, who has read a post.

package jp.renraku.app.screens

import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.AppModel
import jp.renraku.app.model.AppState
import jp.renraku.app.model.Place
import jp.renraku.app.model.Words
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.WorkState
import jp.renraku.core.ItemState
import jp.renraku.core.PatientSummary
import jp.renraku.core.PostId
import jp.renraku.core.Receipt
import kotlinx.coroutines.launch

@Composable
fun PatientsScreen(model: AppModel, app: AppState, work: WorkModel, state: WorkState) {
    val scope = rememberCoroutineScope()
    Screen(
        work.town.wordPatient,
        actions = {
            Text("${work.staff.name}（${Words.profession(work.staff.profession)}）")
            Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
                val waiting = state.outbox.count { it.state !is ItemState.Sent }
                val title = if (waiting == 0) "送信箱" else "送信箱（$waiting）"
                BigButton(title, Modifier.weight(1f), prominent = false) { work.go(Place.Outbox) }
                BigButton("サインアウト", Modifier.weight(1f), prominent = false) { model.signOut() }
            }
            val safety = if (app.renewalDue) "この端末の安全（証明書の更新があります）" else "この端末の安全"
            BigButton(safety, prominent = false) { work.go(Place.Safety) }
            BigButton("最新の状態にする") { scope.launch { work.catchUp() } }
        },
    ) {
        StaleLine(state)
        LazyColumn {
            items(state.patients, key = { it.id }) { patient ->
                PatientLine(patient) { work.go(Place.Timeline(patient.id)) }
                HorizontalDivider()
            }
            if (state.loaded && state.patients.isEmpty()) {
                item { Text("担当する${work.town.wordPatient}はいません。", Modifier.padding(16.dp)) }
            }
        }
    }
}

@Composable
private fun PatientLine(patient: PatientSummary, onClick: () -> Unit) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 64.dp).clickable(onClick = onClick).padding(16.dp, 8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Column(Modifier.weight(1f)) {
            Text(patient.kana, style = MaterialTheme.typography.bodySmall)
            Text(
                "${patient.name}　${patient.age}歳・${Words.gender(patient.gender)}",
                style = MaterialTheme.typography.titleMedium,
            )
            patient.lastPostAt?.let { Text("最新：${Words.time(it)}") }
        }
        if (patient.unread > 0u) Text("未読${patient.unread}", color = MaterialTheme.colorScheme.error)
    }
}

@Composable
fun OutboxScreen(work: WorkModel, state: WorkState) {
    val scope = rememberCoroutineScope()
    LaunchedEffect(Unit) { work.loadOutbox() }
    Screen("送信箱", actions = { BigButton("今すぐ送信する") { scope.launch { work.flush(now = true) } } }) {
        state.progress?.let { done ->
            Text("写真・動画を準備しています", Modifier.padding(horizontal = 16.dp))
            LinearProgressIndicator(progress = { done }, Modifier.fillMaxWidth())
        }
        LazyColumn {
            items(state.outbox, key = { it.id }) { OutboxCard(work, it) }
            if (state.outbox.isEmpty()) {
                item { Text("送信待ちの${work.town.wordPost}はありません。", Modifier.padding(16.dp)) }
            }
        }
    }
}

@Composable
fun ReadersScreen(work: WorkModel, state: WorkState, id: PostId) {
    LaunchedEffect(id) { work.loadReceipts(id) }
    Screen("閲覧履歴", actions = { BigButton("戻る", prominent = false) { work.back() } }) {
        LazyColumn { items(state.receipts, key = { it.staffId }) { ReceiptLine(it) } }
    }
}

@Composable
private fun ReceiptLine(receipt: Receipt) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 64.dp).padding(16.dp, 8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Column(Modifier.weight(1f)) {
            Text(
                "${receipt.name}（${Words.profession(receipt.profession)}）",
                style = MaterialTheme.typography.titleMedium,
            )
            Text(receipt.facilityName, style = MaterialTheme.typography.bodySmall)
        }
        if (receipt.acknowledgedAt != null) Text("👍 ")
        Text(receipt.readAt?.let(Words::time) ?: "未読")
    }
}
