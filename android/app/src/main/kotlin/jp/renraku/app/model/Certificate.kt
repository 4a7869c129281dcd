// This device's certificate: the code that names it, its renewal, and what stands in its way. Not here: enrolling, which
// is AppModel's.

package jp.renraku.app.model

import jp.renraku.core.Diagnosis
import jp.renraku.core.MobileException
import jp.renraku.core.Platform
import jp.renraku.core.scanSetupCode
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** Takes what a camera read, or somebody typed, as the portal's 2-D code. */
fun AppModel.scanned(text: String): Job = scope.launch {
    attempt {
        val form = scanSetupCode(text.trim(), "", Platform.ANDROID)
        mutable.update { it.copy(scanned = form) }
    }
}

/** Renews the device's certificate; who is at work vouches. Everybody signs in again afterwards. */
fun AppModel.renew(): Job = withDevice { device ->
    val session = session ?: return@withDevice
    device.certificate().renew(session)
    leave(null, "証明書を更新しました。もう一度サインインしてください。")
}

/** Finds out why this device cannot get in, and says it. */
fun AppModel.diagnose(): Job = withDevice { device ->
    val found = device.certificate().diagnose()
    if (found is Diagnosis.Refused) throw MobileException.Certificate(found.code)
    val (ready, sentence) = (found is Diagnosis.Ready) to Words.sentence(found)
    if (ready) note(sentence) else say(sentence)
    mutable.update { it.copy(enrolAnew = found is Diagnosis.NotEnrolled) }
}
