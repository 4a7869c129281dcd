// Pushes: this device's token, and what they are about. Not here: fetching and showing it, which is WorkModel's.

package jp.renraku.app.model

import jp.renraku.core.MobileException
import jp.renraku.core.PushProvider
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch

/** Google's token of this device. It may come before or after the sign-in. */
fun AppModel.havePushToken(token: String): Job = scope.launch {
    pushToken = token
    registerPush()
}

/** A push that arrived while the app is in front: fetches what it is about. */
fun AppModel.pushArrived(payload: String): Job = scope.launch { state.value.work?.take(payload, opened = false) }

/** A push that the person touched. Waits for the sign-in when nobody is signed in. */
fun AppModel.pushOpened(payload: String): Job = scope.launch {
    val work = state.value.work
    if (work == null) waitingPush = payload else work.take(payload, opened = true)
}

internal suspend fun AppModel.registerPush() {
    val token = pushToken ?: return
    val session = session ?: return
    if (state.value.work == null) return
    try {
        session.registerPush(PushProvider.FCM, token)
    } catch (_: MobileException) {
        // Not reached is no harm: every start and every sign-in tries again.
    }
}
