// How who is at work guards what this device keeps of them: a PIN, and a finger or face beside it. Not here: opening
// it again, which is in Unlocking.

package jp.renraku.app.model

import jp.renraku.core.MobileException
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.StaffId
import jp.renraku.core.StorageTrouble
import kotlinx.coroutines.Job

/** Sets the PIN of who is at work, or another one; [current] is none for the first. */
fun AppModel.setPin(current: String?, pin: String, again: String): Job = guarding { device, staff ->
    if (pin == again) {
        device.person(staff).setPin(current, pin)
        "PINを設定しました。次からは、PINで開きます。"
    } else {
        say("新しいPINが一致しません。もう一度入力してください。")
        null
    }
}

/** Lets the finger or face of who is at work open their store beside the PIN, or not any more. */
fun AppModel.useBiometrics(pin: String): Job = guarding { device, staff ->
    device.person(staff).addBiometrics(pin, guarded())
    "指紋・顔でも開けるようになりました。"
}

fun AppModel.dropBiometrics(): Job = guarding { device, staff ->
    device.person(staff).removeBiometrics()
    "指紋・顔では開かないようにしました。"
}

/** [work] gives what was done, in a sentence, or none where nothing was. */
private fun AppModel.guarding(work: suspend (RenrakuDevice, StaffId) -> String?): Job = withDevice { device ->
    val staff = state.value.work?.staff?.id ?: return@withDevice
    try {
        val done = work(device, staff)
        show(device.person(staff).lockState())
        if (done != null) note(done)
    } catch (e: MobileException.Storage) {
        if (e.trouble is StorageTrouble.Wiped) wiped(staff)
        throw e
    }
}
