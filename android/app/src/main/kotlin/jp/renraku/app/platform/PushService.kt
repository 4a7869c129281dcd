// Takes Google's pushes. With somebody signed in, the core fetches what a push is about; else the generic line
// is shown. Google shows that line itself while the app is in the background, and does not call this then.

package jp.renraku.app.platform

import android.Manifest
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.os.Build
import androidx.core.app.NotificationCompat
import androidx.core.content.ContextCompat
import com.google.firebase.messaging.FirebaseMessagingService
import com.google.firebase.messaging.RemoteMessage
import jp.renraku.app.MainActivity
import jp.renraku.app.R
import jp.renraku.app.RenrakuApplication
import jp.renraku.app.model.havePushToken
import jp.renraku.app.model.pushArrived
import kotlinx.coroutines.launch
import org.json.JSONObject

/** Called by Google's library on a worker thread. */
class PushService : FirebaseMessagingService() {
    override fun onNewToken(token: String) {
        val app = application as RenrakuApplication
        app.scope.launch { app.model.havePushToken(token) }
    }

    override fun onMessageReceived(message: RemoteMessage) {
        val app = application as RenrakuApplication
        val payload = JSONObject(message.data.toMap()).toString()
        val line = message.notification?.body
        app.scope.launch {
            if (app.model.state.value.work == null) {
                Notices.show(app, line, message.data)
            } else {
                app.model.pushArrived(payload)
            }
        }
    }
}

/** The notices that the phone's own list shows: the server's generic line, never more. */
object Notices {
    /** The keys of a push that its notice carries to the activity. */
    val KEYS = listOf("kind", "id")

    /** Makes the channel. Call it at the start. */
    fun prepare(context: Context) {
        val id = context.getString(R.string.notice_channel)
        val name = context.getString(R.string.notice_channel_name)
        val channel = NotificationChannel(id, name, NotificationManager.IMPORTANCE_HIGH)
        context.getSystemService(NotificationManager::class.java).createNotificationChannel(channel)
    }

    fun show(context: Context, line: String?, data: Map<String, String>) {
        val allowed = Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU ||
            ContextCompat.checkSelfPermission(context, Manifest.permission.POST_NOTIFICATIONS) ==
            PackageManager.PERMISSION_GRANTED
        if (!allowed) return
        val open = Intent(context, MainActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        for (key in KEYS) open.putExtra(key, data[key])
        val number = data["id"].hashCode()
        val pending = PendingIntent.getActivity(
            context, number, open, PendingIntent.FLAG_UPDATE_CURRENT or PendingIntent.FLAG_IMMUTABLE,
        )
        val notice = NotificationCompat.Builder(context, context.getString(R.string.notice_channel))
            .setSmallIcon(android.R.drawable.ic_dialog_email)
            .setContentText(line ?: "新しい連絡があります")
            .setContentIntent(pending)
            .setAutoCancel(true)
            .build()
        context.getSystemService(NotificationManager::class.java).notify(number, notice)
    }

    /** The push that an activity was opened with, as the JSON that the core takes; none for another start. */
    fun payload(intent: Intent?): String? {
        val data = KEYS.associateWith { intent?.getStringExtra(it) }
        return if (data.values.any { it == null }) null else JSONObject(data).toString()
    }
}
