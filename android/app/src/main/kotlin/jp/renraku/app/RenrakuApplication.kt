// The composition root of the app: joins the core, the Keystore and the screens' model, and holds the model as long as the
// process lives, because pushes and the outbox need it without a screen.

package jp.renraku.app

import android.app.Application
import android.net.ConnectivityManager
import android.net.Network
import android.os.SystemClock
import com.google.firebase.FirebaseApp
import com.google.firebase.messaging.FirebaseMessaging
import jp.renraku.app.model.AppModel
import jp.renraku.app.model.havePushToken
import jp.renraku.app.platform.GuardedVault
import jp.renraku.app.platform.Holder
import jp.renraku.app.platform.Notices
import jp.renraku.app.platform.PhoneTowns
import jp.renraku.app.platform.Places
import jp.renraku.app.platform.canRecognise
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.launch

class RenrakuApplication : Application() {
    /** The main thread, as long as the process lives. */
    val scope: CoroutineScope = MainScope()
    val holder = Holder()
    val places: Places by lazy { Places(this) }
    val towns: PhoneTowns by lazy { PhoneTowns(this, places) }
    val model: AppModel by lazy {
        AppModel(
            scope,
            towns,
            prove = holder::prove,
            guarded = { GuardedVault(this, holder) },
            canRecognise = { canRecognise(this) },
            now = SystemClock::elapsedRealtime,
            sweep = places::sweep,
        )
    }

    override fun onCreate() {
        super.onCreate()
        Notices.prepare(this)
        places.sweep()
        model.start()
        watchNetwork()
        askForPushToken()
    }

    private fun watchNetwork() {
        val back = object : ConnectivityManager.NetworkCallback() {
            override fun onAvailable(network: Network) {
                scope.launch { model.networkBack() }
            }
        }
        getSystemService(ConnectivityManager::class.java).registerDefaultNetworkCallback(back)
    }

    // Without a Firebase project of the town's there are no pushes: the app catches up when it comes to the front.
    private fun askForPushToken() {
        if (FirebaseApp.getApps(this).isEmpty()) return
        FirebaseMessaging.getInstance().token.addOnSuccessListener { token -> model.havePushToken(token) }
    }
}
