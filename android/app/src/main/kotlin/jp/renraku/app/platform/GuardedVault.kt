// What only the person's own finger or face gives out: a file under an AES key that the chip uses once for each
// time that somebody is recognised, and loses when another finger or face is enrolled. Not here: what is kept.

package jp.renraku.app.platform

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import jp.renraku.core.Vault
import jp.renraku.core.VaultFailure
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.io.File
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** Called by the core from worker threads; blocks until the person was recognised or gave up. */
class GuardedVault(context: Context, private val holder: Holder) : Vault {
    private val folder = File(context.noBackupFilesDir, "guarded")

    override fun load(name: String): ByteArray? = guarded {
        val file = file(name)
        if (!file.baseFile.exists()) return@guarded null
        val sealed = file.readFully()
        val key = key(name)
        if (key == null || sealed.size <= IV_BYTES) return@guarded null
        val cipher = Cipher.getInstance(CIPHER)
        try {
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 0, IV_BYTES))
        } catch (_: KeyPermanentlyInvalidatedException) {
            // Another finger or face: what was kept is lost, and the PIN is asked for.
            remove(name)
            return@guarded null
        }
        recognised(cipher).doFinal(sealed, IV_BYTES, sealed.size - IV_BYTES)
    }

    override fun store(name: String, secret: ByteArray) = guarded {
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, makeKey(name))
        val sealed = recognised(cipher).let { it.iv + it.doFinal(secret) }
        folder.mkdirs()
        file(name).replace(sealed)
    }

    override fun remove(name: String) = guarded {
        keys().deleteEntry(alias(name))
        file(name).delete()
        if (file(name).baseFile.exists()) throw VaultFailure.Failed()
    }

    private fun recognised(cipher: Cipher): Cipher =
        runBlocking { withContext(Dispatchers.Main) { holder.recognise(cipher) } } ?: throw VaultFailure.Locked()

    private fun digits(name: String) = name.toByteArray().joinToString("") { "%02x".format(it) }

    private fun file(name: String) = AtomicFile(File(folder, digits(name)))

    private fun alias(name: String) = "jp.renraku.app.guarded.${digits(name)}"

    private fun keys(): KeyStore = KeyStore.getInstance(STORE).apply { load(null) }

    private fun key(name: String): SecretKey? = keys().getKey(alias(name), null) as? SecretKey

    // A new one each time: an older one may be lost already.
    private fun makeKey(name: String): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(alias(name), purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(256)
            .setUserAuthenticationRequired(true)
            .setInvalidatedByBiometricEnrollment(true)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).run {
            init(spec)
            generateKey()
        }
    }

    private fun <T> guarded(work: () -> T): T = toldAsVaultFailure(work)

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val IV_BYTES = 12
        const val TAG_BITS = 128
    }
}
