// The core's small secrets, each a file under an AES key that never leaves the Keystore. The files lie where
// no backup looks. Not here: what the secrets are.

package jp.renraku.app.platform

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import jp.renraku.core.Vault
import jp.renraku.core.VaultFailure
import java.io.File
import java.io.FileNotFoundException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** Called by the core from worker threads; may block for some milliseconds. */
class KeystoreVault(context: Context) : Vault {
    private val folder = File(context.noBackupFilesDir, "vault")

    override fun load(name: String): ByteArray? = guarded {
        val sealed = try {
            file(name).readFully()
        } catch (e: FileNotFoundException) {
            // It says so, too, of a file that is there and cannot be opened: that is no "none".
            if (file(name).baseFile.exists()) throw e
            return@guarded null
        }
        // A file without its key is a fault, never "none": for none the core starts afresh.
        val key = key() ?: throw VaultFailure.Failed()
        if (sealed.size <= IV_BYTES) throw VaultFailure.Failed()
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 0, IV_BYTES))
        cipher.updateAAD(name.toByteArray())
        cipher.doFinal(sealed, IV_BYTES, sealed.size - IV_BYTES)
    }

    override fun store(name: String, secret: ByteArray) = guarded {
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, key() ?: makeKey())
        cipher.updateAAD(name.toByteArray())
        val sealed = cipher.iv + cipher.doFinal(secret)
        folder.mkdirs()
        file(name).replace(sealed)
    }

    override fun remove(name: String) = guarded {
        file(name).delete()
        if (file(name).baseFile.exists()) throw VaultFailure.Failed()
    }

    // Names are short texts of the core's; in hexadecimal they fit any file system.
    private fun file(name: String): AtomicFile {
        val digits = name.toByteArray().joinToString("") { "%02x".format(it) }
        return AtomicFile(File(folder, digits))
    }

    private fun key(): SecretKey? =
        KeyStore.getInstance(STORE).apply { load(null) }.getKey(ALIAS, null) as? SecretKey

    private fun makeKey(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(ALIAS, purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(256)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).run {
            init(spec)
            generateKey()
        }
    }

    @Synchronized
    private fun <T> guarded(work: () -> T): T = toldAsVaultFailure(work)

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val ALIAS = "jp.renraku.app.vault"
        const val CIPHER = "AES/GCM/NoPadding"
        const val IV_BYTES = 12
        const val TAG_BITS = 128
    }
}
