// The camera inside the app: what it takes goes to a scratch file, never to the gallery.
// Not here: turning, shrinking and stripping, which the core does.

package jp.renraku.app.screens

import android.Manifest
import android.annotation.SuppressLint
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.provider.Settings
import androidx.activity.compose.BackHandler
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts
import androidx.camera.core.ImageCapture
import androidx.camera.core.ImageCaptureException
import androidx.camera.video.FileOutputOptions
import androidx.camera.video.Recording
import androidx.camera.video.VideoRecordEvent
import androidx.camera.view.CameraController
import androidx.camera.view.LifecycleCameraController
import androidx.camera.view.PreviewView
import androidx.camera.view.video.AudioConfig
import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.navigationBarsPadding
import androidx.compose.foundation.layout.padding
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
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.unit.dp
import androidx.compose.ui.viewinterop.AndroidView
import androidx.core.content.ContextCompat
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.compose.LifecycleEventEffect
import androidx.lifecycle.compose.LocalLifecycleOwner
import jp.renraku.app.model.Shot
import jp.renraku.app.platform.Places
import java.io.File

/** `onDone` gets what was taken, or none; `onTrouble` why none. `seconds`: longest film. */
@Composable
fun CameraScreen(places: Places, seconds: Long, onTrouble: (String) -> Unit, onDone: (Shot?) -> Unit) {
    val context = LocalContext.current
    var allowed by remember { mutableStateOf(granted(context, Manifest.permission.CAMERA)) }
    var refused by remember { mutableStateOf(false) }
    val ask = rememberLauncherForActivityResult(ActivityResultContracts.RequestMultiplePermissions()) {
        allowed = it[Manifest.permission.CAMERA] == true
        refused = !allowed
    }
    LaunchedEffect(Unit) {
        if (!allowed) ask.launch(arrayOf(Manifest.permission.CAMERA, Manifest.permission.RECORD_AUDIO))
    }
    // Allowed in the phone's settings meanwhile.
    LifecycleEventEffect(Lifecycle.Event.ON_RESUME) { allowed = granted(context, Manifest.permission.CAMERA) }
    when {
        allowed -> Camera(places, seconds, onTrouble, onDone)
        refused -> Refused(onSettings = { openSettings(context) }, onBack = { onDone(null) })
    }
}

/** Who refused for good is not asked again by the phone: only its settings help then. */
@Composable
private fun Refused(onSettings: () -> Unit, onBack: () -> Unit) {
    BackHandler(onBack = onBack)
    Screen(
        "撮影",
        actions = {
            BigButton("設定を開く", onClick = onSettings)
            BigButton("戻る", prominent = false, onClick = onBack)
        },
    ) {
        Text(
            "カメラの使用が許可されていません。「設定を開く」から「権限」の「カメラ」を許可してください。",
            Modifier.padding(16.dp),
        )
    }
}

@Composable
private fun Camera(places: Places, seconds: Long, onTrouble: (String) -> Unit, onDone: (Shot?) -> Unit) {
    val context = LocalContext.current
    val owner = LocalLifecycleOwner.current
    var recording by remember { mutableStateOf<Recording?>(null) }
    var taking by remember { mutableStateOf(false) }
    var ready by remember { mutableStateOf(false) }
    val done = { taken: Taken ->
        taken.trouble?.let(onTrouble)
        onDone(taken.shot)
    }
    val controller = remember {
        LifecycleCameraController(context).apply {
            setEnabledUseCases(CameraController.IMAGE_CAPTURE or CameraController.VIDEO_CAPTURE)
        }
    }
    DisposableEffect(owner) {
        controller.bindToLifecycle(owner)
        // Before that it takes nothing, and throws.
        val opening = controller.initializationFuture
        var gone = false
        opening.addListener({
            if (gone) return@addListener
            ready = runCatching { opening.get() }.isSuccess
            if (!ready) done(Taken(null, NO_CAMERA))
        }, ContextCompat.getMainExecutor(context))
        onDispose {
            gone = true
            recording?.stop()
            controller.unbind()
        }
    }
    // A film that was begun ends, and is kept; a photo is waited for.
    BackHandler { if (!taking) recording?.stop() ?: onDone(null) }
    Box(Modifier.fillMaxSize().background(Color.Black)) {
        AndroidView({ preview(it, controller) }, Modifier.fillMaxSize())
        Column(
            Modifier.align(Alignment.BottomCenter).navigationBarsPadding().padding(16.dp),
            verticalArrangement = Arrangement.spacedBy(12.dp),
        ) {
            val running = recording
            if (running != null) {
                BigButton("録画を終える") { running.stop() }
            } else {
                BigButton("写真を撮る", enabled = ready && !taking) {
                    taking = true
                    photo(context, controller, places, done)
                }
                BigButton("動画を撮る（${seconds}秒まで）", enabled = ready && !taking) {
                    recording = film(context, controller, places, seconds, done)
                }
                BigButton("やめる", enabled = !taking) { onDone(null) }
            }
        }
    }
}

private fun preview(context: Context, controller: CameraController) = PreviewView(context).apply {
    this.controller = controller
    // Nobody touches the screen while filming.
    keepScreenOn = true
}

/** What the camera gave, or why it gave nothing or not all. */
private class Taken(val shot: Shot?, val trouble: String?)

private const val NO_CAMERA = "カメラを使えませんでした。ほかのアプリがカメラを使っていないか確認して、もう一度お試しください。"
private const val NO_PHOTO = "写真を保存できませんでした。もう一度撮ってください。"
private const val NO_FILM = "動画を保存できませんでした。もう一度撮ってください。"
private const val FULL = "端末の空き容量が足りないため、動画は途中までです。"

private fun granted(context: Context, permission: String) =
    ContextCompat.checkSelfPermission(context, permission) == PackageManager.PERMISSION_GRANTED

private fun openSettings(context: Context) {
    val app = Uri.fromParts("package", context.packageName, null)
    context.startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, app))
}

private fun photo(context: Context, controller: CameraController, places: Places, onDone: (Taken) -> Unit) {
    val file = places.scratch("jpg")
    val callback = object : ImageCapture.OnImageSavedCallback {
        override fun onImageSaved(saved: ImageCapture.OutputFileResults) =
            onDone(Taken(Shot(file, isVideo = false), null))

        override fun onError(error: ImageCaptureException) {
            file.delete()
            onDone(Taken(null, NO_PHOTO))
        }
    }
    val options = ImageCapture.OutputFileOptions.Builder(file).build()
    controller.takePicture(options, ContextCompat.getMainExecutor(context), callback)
}

// Without the microphone's permission the film is silent.
@SuppressLint("MissingPermission")
private fun film(
    context: Context,
    controller: CameraController,
    places: Places,
    seconds: Long,
    onDone: (Taken) -> Unit,
): Recording {
    val file = places.scratch("mp4")
    val options = FileOutputOptions.Builder(file).setDurationLimitMillis(seconds * 1000).build()
    val sound = granted(context, Manifest.permission.RECORD_AUDIO)
    val audio = if (sound) AudioConfig.create(true) else AudioConfig.AUDIO_DISABLED
    return controller.startRecording(options, audio, ContextCompat.getMainExecutor(context)) { event ->
        if (event is VideoRecordEvent.Finalize) onDone(filmed(event, file))
    }
}

/** A film that was cut off is a film all the same: the app left the front, or there was no more room. */
private fun filmed(event: VideoRecordEvent.Finalize, file: File): Taken {
    val whole = when (event.error) {
        VideoRecordEvent.Finalize.ERROR_NONE,
        VideoRecordEvent.Finalize.ERROR_DURATION_LIMIT_REACHED,
        VideoRecordEvent.Finalize.ERROR_FILE_SIZE_LIMIT_REACHED,
        VideoRecordEvent.Finalize.ERROR_SOURCE_INACTIVE,
        VideoRecordEvent.Finalize.ERROR_INSUFFICIENT_STORAGE,
        -> file.length() > 0
        else -> false
    }
    if (!whole) {
        file.delete()
        return Taken(null, NO_FILM)
    }
    val full = event.error == VideoRecordEvent.Finalize.ERROR_INSUFFICIENT_STORAGE
    return Taken(Shot(file, isVideo = true), if (full) FULL else null)
}
