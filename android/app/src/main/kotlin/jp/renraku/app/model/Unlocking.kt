// Going on with the session that a person left open: by the PIN, finger or face that they set, or else by whatever
// proves who holds the device. Not here: setting them, which is in Guarding.

package jp.renraku.app.model

import jp.renraku.core.KnownPerson
import jp.renraku.core.MobileException
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.StorageTrouble
import kotlinx.coroutines.Job

/** Goes on with the session that a person left open, after they proved who they are: by their PIN if they have one. */
fun AppModel.resume(person: KnownPerson): Job = withDevice { device ->
    val lock = device.person(person.staffId).lockState()
    if (lock.pin) {
        ask(person, lock)
        if (!lock.biometrics || !canRecognise()) return@withDevice
        opened(device, person) { device.person(person.staffId).unlockWithBiometrics(guarded()) }
    } else if (prove()) {
        begin(device, device.person(person.staffId).resume())
    } else {
        say("ご本人の確認ができませんでした。パスワードでサインインしてください。")
    }
}

fun AppModel.unlock(pin: String): Job = withDevice { device ->
    val person = state.value.asked ?: return@withDevice
    opened(device, person) { device.person(person.staffId).unlockWithPin(pin) }
}

/** Back from the PIN to the list of people. */
fun AppModel.unask(): Job = withDevice { toSignIn() }

private suspend fun AppModel.opened(device: RenrakuDevice, person: KnownPerson, unlock: suspend () -> Unit) {
    try {
        unlock()
        begin(device, device.person(person.staffId).resume())
    } catch (e: MobileException.Storage) {
        // Not recognised is no harm: the PIN is asked for. After the last wrong one nobody is left to ask.
        if (e.trouble is StorageTrouble.Wiped) wiped(person.staffId)
        throw e
    } catch (e: MobileException.SignedOut) {
        toSignIn()
        throw e
    }
}
