// One patient's timeline: what waits on this device first, then the posts, newest first.

package jp.renraku.app.screens

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import jp.renraku.app.model.Place
import jp.renraku.app.model.Words
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.WorkState
import jp.renraku.app.model.beginEdit
import jp.renraku.app.model.release
import jp.renraku.app.model.takeBack
import jp.renraku.app.platform.Places
import jp.renraku.core.FileState
import jp.renraku.core.Item
import jp.renraku.core.ItemState
import jp.renraku.core.PatientId
import jp.renraku.core.Post
import kotlinx.coroutines.launch

@Composable
fun TimelineScreen(work: WorkModel, state: WorkState, places: Places, id: PatientId) {
    val scope = rememberCoroutineScope()
    LaunchedEffect(id) { work.loadTimeline(id) }
    val patient = state.patient?.takeIf { it.id == id }
    val posts = if (patient == null) emptyList() else state.posts
    val leads = patient?.team.orEmpty().any { it.lead && it.staffId == work.staff.id }
    Screen(
        patient?.let { "${it.name}　${it.age}歳" } ?: "",
        actions = {
            BigButton("${work.town.wordPost}する", enabled = patient != null) { work.go(Place.Compose(id)) }
        },
    ) {
        StaleLine(state)
        LazyColumn {
            items(state.pending(id), key = { "outbox-${it.id}" }) { OutboxCard(work, it) }
            items(posts, key = { it.id }) { post ->
                LaunchedEffect(post.id) { scope.launch { work.saw(post) } }
                PostCard(work, places, post, leads)
            }
            if (patient != null && state.next != null) {
                item { BigButton("前の投稿を表示", prominent = false) { scope.launch { work.loadMore(id) } } }
            }
        }
    }
}

@Composable
private fun PostCard(work: WorkModel, places: Places, post: Post, leads: Boolean) {
    val scope = rememberCoroutineScope()
    Column(Modifier.fillMaxWidth().padding(16.dp), verticalArrangement = Arrangement.spacedBy(8.dp)) {
        Urgent(post.urgent)
        Text(
            "${post.authorName}（${Words.profession(post.authorProfession)}）",
            style = MaterialTheme.typography.titleMedium,
        )
        Text("${post.facilityName}　${Words.time(post.writtenAt)}", style = MaterialTheme.typography.bodySmall)
        post.bodySite?.let { Text("部位：${Words.site(it)}") }
        if (post.body.isNotEmpty()) Text(post.body)
        post.media.forEach { MediaTile(work, places, it) }
        Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
            // One that was given may be taken back in any town.
            val thumb = work.town.thumbsAck || post.acknowledged
            val action = if (post.acknowledged) "確認しましたを取り消す" else "確認しました"
            val mark = if (post.acknowledged) "👍✓" else "👍"
            val count = post.acknowledgedCount
            if (thumb) SmallButton("$mark $count", label = "$action、今は${count}人") {
                scope.launch { work.acknowledge(post, !post.acknowledged) }
            }
            if (leads || post.authorId == work.staff.id) {
                SmallButton("閲覧 ${post.readCount}人") { work.go(Place.Readers(post.id)) }
            }
        }
    }
    HorizontalDivider()
}

@Composable
private fun Urgent(urgent: Boolean) {
    if (urgent) {
        Text(
            "緊急（重要）",
            color = MaterialTheme.colorScheme.error,
            style = MaterialTheme.typography.titleMedium,
        )
    }
}

/** One post on its way from this device. */
@Composable
fun OutboxCard(work: WorkModel, item: Item) {
    val scope = rememberCoroutineScope()
    var asking by remember { mutableStateOf(false) }
    val state = item.state
    Column(Modifier.fillMaxWidth().padding(16.dp), verticalArrangement = Arrangement.spacedBy(8.dp)) {
        val failed = state is ItemState.Failed
        val color = if (failed) MaterialTheme.colorScheme.error else MaterialTheme.colorScheme.primary
        Text(Words.state(state), color = color)
        Urgent(item.urgent)
        if (item.body.isNotEmpty()) Text(item.body)
        for (media in item.media) {
            Text(Words.file(media), style = MaterialTheme.typography.bodySmall)
            if (media.state !is FileState.Made) continue
            val whole = maxOf(media.length, 1uL).toFloat()
            LinearProgressIndicator(progress = { media.uploaded.toFloat() / whole }, Modifier.fillMaxWidth())
        }
        if (failed || state is ItemState.Draft || state is ItemState.Waiting) {
            Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
                if (state !is ItemState.Waiting) SmallButton("送信する") { scope.launch { work.release(item) } }
                SmallButton("直す") { scope.launch { work.beginEdit(item) } }
                SmallButton("取り消す") { asking = true }
            }
        }
    }
    HorizontalDivider()
    if (asking) {
        val what = if (state is ItemState.Draft) "この下書き" else "この${work.town.wordPost}"
        Ask(
            "${what}を取り消します。本文と写真・動画は、この端末から消えます。",
            "取り消す",
            no = "残す",
            onYes = {
                asking = false
                scope.launch { work.takeBack(item) }
            },
            onNo = { asking = false },
        )
    }
}
