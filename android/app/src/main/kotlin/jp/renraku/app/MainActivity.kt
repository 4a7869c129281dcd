// The one activity: keeps the screen out of the app switcher and of screenshots, tells the model about coming
// and going, and shows the screens.

package jp.renraku.app

import android.Manifest
import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.view.WindowManager
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.contract.ActivityResultContracts
import androidx.fragment.app.FragmentActivity
import jp.renraku.app.model.Words
import jp.renraku.app.model.pushOpened
import jp.renraku.app.model.scanned
import jp.renraku.app.platform.FlushWorker
import jp.renraku.app.platform.Notices
import jp.renraku.app.platform.readCode
import jp.renraku.app.screens.Root

class MainActivity : FragmentActivity() {
    private val app get() = application as RenrakuApplication
    private val asked = registerForActivityResult(ActivityResultContracts.RequestPermission()) {}

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        window.setFlags(WindowManager.LayoutParams.FLAG_SECURE, WindowManager.LayoutParams.FLAG_SECURE)
        enableEdgeToEdge()
        setContent { Root(app.model, app.places, ::scan) }
        if (savedInstanceState == null) {
            openPush(intent)
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
                asked.launch(Manifest.permission.POST_NOTIFICATIONS)
            }
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        openPush(intent)
    }

    override fun onStart() {
        super.onStart()
        app.holder.activity = this
        app.model.returned()
    }

    override fun onStop() {
        app.model.left()
        if (app.holder.activity === this) app.holder.activity = null
        FlushWorker.plan(this)
        super.onStop()
    }

    private fun scan() =
        readCode(this, onText = { app.model.scanned(it) }, onFailure = { app.model.say(Words.UNREAD_CODE) })

    private fun openPush(intent: Intent?) {
        Notices.payload(intent)?.let { app.model.pushOpened(it) }
    }
}
