// A picture or film in a post: small in the timeline, large when touched. The large file lies in the clear only
// while it is shown.

package jp.renraku.app.screens

import android.graphics.BitmapFactory
import android.widget.MediaController
import android.widget.VideoView
import androidx.compose.foundation.Image
import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.navigationBarsPadding
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.ImageBitmap
import androidx.compose.ui.graphics.asImageBitmap
import androidx.compose.ui.unit.dp
import androidx.compose.ui.viewinterop.AndroidView
import androidx.compose.ui.window.Dialog
import androidx.compose.ui.window.DialogProperties
import jp.renraku.app.model.WorkModel
import jp.renraku.app.platform.Places
import jp.renraku.core.Media
import jp.renraku.core.MediaKind
import jp.renraku.core.MediaState
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.File

@Composable
fun MediaTile(work: WorkModel, places: Places, media: Media) {
    var small by remember(media.id) { mutableStateOf<ImageBitmap?>(null) }
    var large by remember(media.id) { mutableStateOf(false) }
    val ready = media.state == MediaState.READY
    LaunchedEffect(media.id, ready) {
        if (small == null && ready && media.kind != MediaKind.DOCUMENT) {
            small = work.thumbnail(media.id)?.let { bytes ->
                withContext(Dispatchers.Default) {
                    BitmapFactory.decodeByteArray(bytes, 0, bytes.size)?.asImageBitmap()
                }
            }
        }
    }
    val word = word(media)
    val name = media.description.ifEmpty { word }
    Box(
        Modifier.fillMaxWidth().heightIn(min = 120.dp, max = 280.dp).clickable(enabled = ready) { large = true },
        contentAlignment = Alignment.Center,
    ) {
        small?.let { Image(it, contentDescription = name) }
        if (small == null || media.kind == MediaKind.VIDEO) {
            Text(if (media.kind == MediaKind.VIDEO && ready) "▶ 動画" else word)
        }
    }
    if (large) LargeMedia(work, places, media, name) { large = false }
}

private fun word(media: Media): String = when (media.state) {
    MediaState.PENDING -> "まだ届いていません"
    MediaState.REFUSED -> "受け付けられませんでした"
    MediaState.READY, MediaState.UNKNOWN -> if (media.kind == MediaKind.VIDEO) "動画" else "写真"
}

@Composable
private fun LargeMedia(work: WorkModel, places: Places, media: Media, name: String, onClose: () -> Unit) {
    val film = media.kind == MediaKind.VIDEO
    val file = remember { places.scratch(if (film) "mp4" else "jpg") }
    var shown by remember { mutableStateOf(false) }
    var failed by remember { mutableStateOf(false) }
    LaunchedEffect(file) { if (work.reveal(media, file)) shown = true else failed = true }
    DisposableEffect(file) { onDispose { file.delete() } }
    Dialog(onClose, DialogProperties(usePlatformDefaultWidth = false)) {
        Box(Modifier.fillMaxSize().background(Color.Black), contentAlignment = Alignment.Center) {
            when {
                failed -> Text("表示できませんでした。通信できる場所で、もう一度お試しください。", color = Color.White)
                !shown -> CircularProgressIndicator()
                film -> Film(file)
                else -> Picture(file, name)
            }
            BigButton("閉じる", Modifier.align(Alignment.BottomCenter).navigationBarsPadding().padding(16.dp)) { onClose() }
        }
    }
}

@Composable
private fun Picture(file: File, name: String) {
    var picture by remember(file) { mutableStateOf<ImageBitmap?>(null) }
    LaunchedEffect(file) {
        picture = withContext(Dispatchers.IO) { BitmapFactory.decodeFile(file.path)?.asImageBitmap() }
    }
    picture?.let { Image(it, contentDescription = name, modifier = Modifier.fillMaxSize()) }
}

@Composable
private fun Film(file: File) {
    AndroidView(
        factory = { context ->
            VideoView(context).apply {
                setMediaController(MediaController(context).also { it.setAnchorView(this) })
                setVideoPath(file.path)
                setOnPreparedListener { start() }
            }
        },
        onRelease = { it.stopPlayback() },
    )
}
