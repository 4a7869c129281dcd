// The P-256 key of this device, made in StrongBox or else in the phone's trusted environment, never out of it.
// Not here: the software key, which is the core's.

package jp.renraku.app.platform

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyInfo
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.UserNotAuthenticatedException
import jp.renraku.core.DeviceKey
import jp.renraku.core.KeyFailure
import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.UnrecoverableKeyException
import java.security.spec.ECGenParameterSpec

/** Called by the core from worker threads; a StrongBox chip takes up to a second for a call. */
class KeystoreKey(name: String) : DeviceKey {
    private val alias = "jp.renraku.app.$name"

    override fun publicKey(): ByteArray = guarded {
        synchronized(this) {
            if (!store().containsAlias(alias)) make()
            store().getCertificate(alias)?.publicKey?.encoded ?: throw KeyFailure.Failed()
        }
    }

    override fun sign(message: ByteArray): ByteArray = guarded {
        val signature = Signature.getInstance("SHA256withECDSA")
        signature.initSign(privateKey() ?: throw KeyFailure.Gone())
        signature.update(message)
        signature.sign()
    }

    // The core asks this of a key that may not be there yet: no key yet is no promise.
    override fun isHardwareBacked(): Boolean = try {
        privateKey()?.let(::inHardware) ?: false
    } catch (_: Exception) {
        false
    }

    override fun delete() = guarded {
        synchronized(this) { store().deleteEntry(alias) }
    }

    private fun store(): KeyStore = KeyStore.getInstance(STORE).apply { load(null) }

    private fun privateKey(): PrivateKey? = store().getKey(alias, null) as? PrivateKey

    private fun make() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            try {
                return generate(spec().setIsStrongBoxBacked(true).build())
            } catch (_: ProviderException) {
                // Most phones have none, and some have one that fails: the trusted environment is next best.
            }
        }
        generate(spec().build())
    }

    private fun generate(spec: KeyGenParameterSpec) {
        KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, STORE).run {
            initialize(spec)
            generateKeyPair()
        }
    }

    // Bound to no unlocking, so that a waiting post can leave while the screen is off.
    private fun spec() = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_SIGN)
        .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
        .setDigests(KeyProperties.DIGEST_SHA256)

    private fun inHardware(key: PrivateKey): Boolean {
        val info = KeyFactory.getInstance(key.algorithm, STORE).getKeySpec(key, KeyInfo::class.java)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            return info.securityLevel != KeyProperties.SECURITY_LEVEL_SOFTWARE &&
                info.securityLevel != KeyProperties.SECURITY_LEVEL_UNKNOWN
        }
        @Suppress("DEPRECATION")
        return info.isInsideSecureHardware
    }

    private fun <T> guarded(work: () -> T): T = try {
        work()
    } catch (e: KeyFailure) {
        throw e
    } catch (_: UserNotAuthenticatedException) {
        throw KeyFailure.Locked()
    } catch (_: KeyPermanentlyInvalidatedException) {
        throw KeyFailure.Gone()
    } catch (_: UnrecoverableKeyException) {
        throw KeyFailure.Gone()
    } catch (_: java.security.GeneralSecurityException) {
        throw KeyFailure.Failed()
    } catch (_: ProviderException) {
        throw KeyFailure.Failed()
    }

    private companion object {
        const val STORE = "AndroidKeyStore"
    }
}
