// The camera inside the app: what it takes goes to a scratch file, never to the gallery.
// Not here: turning, shrinking and stripping, which the core does.

package jp.renraku.app.screens

import android.Manifest
import android.annotation.SuppressLint
import android.content.Context
import android.content.pm.PackageManager
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
import androidx.lifecycle.compose.LocalLifecycleOwner
import androidx.compose.ui.unit.dp
import androidx.compose.ui.viewinterop.AndroidView
import androidx.core.content.ContextCompat
import jp.renraku.app.model.Shot
import jp.renraku.app.platform.Places

/** `onDone` gets what was taken, or none. `seconds`: longest film. */
@Composable
fun CameraScreen(places: Places, seconds: Long, onDone: (Shot?) -> Unit) {
    val context = LocalContext.current
    val owner = LocalLifecycleOwner.current
    var allowed by remember { mutableStateOf(granted(context, Manifest.permission.CAMERA)) }
    var recording by remember { mutableStateOf<Recording?>(null) }
    var taking by remember { mutableStateOf(false) }
    val ask = rememberLauncherForActivityResult(ActivityResultContracts.RequestMultiplePermissions()) {
        allowed = it[Manifest.permission.CAMERA] == true
        if (!allowed) onDone(null)
    }
    LaunchedEffect(Unit) {
        if (!allowed) ask.launch(arrayOf(Manifest.permission.CAMERA, Manifest.permission.RECORD_AUDIO))
    }
    if (!allowed) return

    val controller = remember {
        LifecycleCameraController(context).apply {
            setEnabledUseCases(CameraController.IMAGE_CAPTURE or CameraController.VIDEO_CAPTURE)
        }
    }
    DisposableEffect(owner) {
        controller.bindToLifecycle(owner)
        onDispose {
            recording?.stop()
            controller.unbind()
        }
    }
    Box(Modifier.fillMaxSize().background(Color.Black)) {
        AndroidView({ PreviewView(it).apply { this.controller = controller } }, Modifier.fillMaxSize())
        Column(
            Modifier.align(Alignment.BottomCenter).navigationBarsPadding().padding(16.dp),
            verticalArrangement = Arrangement.spacedBy(12.dp),
        ) {
            val running = recording
            if (running != null) {
                BigButton("録画を終える") { running.stop() }
            } else {
                BigButton("写真を撮る", enabled = !taking) {
                    taking = true
                    photo(context, controller, places, onDone)
                }
                BigButton("動画を撮る（${seconds}秒まで）", enabled = !taking) {
                    recording = film(context, controller, places, seconds, onDone)
                }
                BigButton("やめる", enabled = !taking) { onDone(null) }
            }
        }
    }
}

private fun granted(context: Context, permission: String) =
    ContextCompat.checkSelfPermission(context, permission) == PackageManager.PERMISSION_GRANTED

private fun photo(context: Context, controller: CameraController, places: Places, onDone: (Shot?) -> Unit) {
    val file = places.scratch("jpg")
    val callback = object : ImageCapture.OnImageSavedCallback {
        override fun onImageSaved(saved: ImageCapture.OutputFileResults) = onDone(Shot(file, isVideo = false))

        override fun onError(error: ImageCaptureException) {
            file.delete()
            onDone(null)
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
    onDone: (Shot?) -> Unit,
): Recording {
    val file = places.scratch("mp4")
    val options = FileOutputOptions.Builder(file).setDurationLimitMillis(seconds * 1000).build()
    val sound = granted(context, Manifest.permission.RECORD_AUDIO)
    val audio = if (sound) AudioConfig.create(true) else AudioConfig.AUDIO_DISABLED
    return controller.startRecording(options, audio, ContextCompat.getMainExecutor(context)) { event ->
        if (event is VideoRecordEvent.Finalize) {
            val limit = event.error == VideoRecordEvent.Finalize.ERROR_DURATION_LIMIT_REACHED
            if (event.hasError() && !limit) {
                file.delete()
                onDone(null)
            } else {
                onDone(Shot(file, isVideo = true))
            }
        }
    }
}
