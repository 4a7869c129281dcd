// Makes sure that who holds the device may open it: face, finger, or the device's PIN.
// Not here: who is signed in. On a shared device the PIN is shared too: people sign out there.

package jp.renraku.app.platform

import android.content.Context
import android.os.Build
import androidx.biometric.BiometricManager
import androidx.biometric.BiometricManager.Authenticators.BIOMETRIC_STRONG
import androidx.biometric.BiometricManager.Authenticators.BIOMETRIC_WEAK
import androidx.biometric.BiometricManager.Authenticators.DEVICE_CREDENTIAL
import androidx.biometric.BiometricPrompt
import androidx.core.content.ContextCompat
import androidx.fragment.app.FragmentActivity
import kotlinx.coroutines.suspendCancellableCoroutine
import javax.crypto.Cipher
import kotlin.coroutines.resume

/** Whether a finger or face can be recognised on this device: it has a reader, and somebody set it up. */
fun canRecognise(context: Context): Boolean =
    BiometricManager.from(context).canAuthenticate(BIOMETRIC_STRONG) == BiometricManager.BIOMETRIC_SUCCESS

/** Call it on the main thread. */
class Holder {
    /** The activity in front, or none. */
    var activity: FragmentActivity? = null

    /** True when the holder proved it. False too without a screen lock. */
    suspend fun prove(): Boolean {
        val activity = activity ?: return false
        // Before Android 11 a PIN cannot be offered beside strong biometrics.
        val biometric = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) BIOMETRIC_STRONG else BIOMETRIC_WEAK
        val allowed = biometric or DEVICE_CREDENTIAL
        val can = BiometricManager.from(activity).canAuthenticate(allowed)
        if (can != BiometricManager.BIOMETRIC_SUCCESS) return false
        val info = BiometricPrompt.PromptInfo.Builder()
            .setTitle("ご本人の確認")
            .setSubtitle("支援対象者の情報を開くため")
            .setAllowedAuthenticators(allowed)
            .build()
        return ask(activity, info, null) != null
    }

    /** The same cipher, which may be used once now that the person's finger or face was recognised; none if not. */
    suspend fun recognise(cipher: Cipher): Cipher? {
        val activity = activity ?: return null
        val info = BiometricPrompt.PromptInfo.Builder()
            .setTitle("ご本人の確認")
            .setSubtitle("保存データを開くため")
            .setNegativeButtonText("PINを使う")
            .setAllowedAuthenticators(BIOMETRIC_STRONG)
            .build()
        return ask(activity, info, BiometricPrompt.CryptoObject(cipher))?.cryptoObject?.cipher
    }

    private suspend fun ask(
        activity: FragmentActivity,
        info: BiometricPrompt.PromptInfo,
        crypto: BiometricPrompt.CryptoObject?,
    ): BiometricPrompt.AuthenticationResult? = suspendCancellableCoroutine { waiting ->
        val callback = object : BiometricPrompt.AuthenticationCallback() {
            override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult) {
                if (waiting.isActive) waiting.resume(result)
            }

            override fun onAuthenticationError(code: Int, text: CharSequence) {
                if (waiting.isActive) waiting.resume(null)
            }
        }
        val prompt = BiometricPrompt(activity, ContextCompat.getMainExecutor(activity), callback)
        waiting.invokeOnCancellation { prompt.cancelAuthentication() }
        if (crypto == null) prompt.authenticate(info) else prompt.authenticate(info, crypto)
    }
}
