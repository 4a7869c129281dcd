// How both vaults keep a file, and what they tell the core when that fails. Not here: what is sealed, and under what.

package jp.renraku.app.platform

import android.system.ErrnoException
import android.system.Os
import android.system.OsConstants
import android.util.AtomicFile
import jp.renraku.core.VaultFailure
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.ProviderException

/** Puts these bytes in the place of the older ones, on the disk when it returns; where it fails, the older ones stay. */
internal fun AtomicFile.replace(bytes: ByteArray) {
    val out = startWrite()
    try {
        out.write(bytes)
        out.flush()
        // finishWrite does so, too, but only logs when there was no room.
        Os.fsync(out.fd)
    } catch (e: Exception) {
        failWrite(out)
        throw e
    }
    finishWrite(out)
}

/** Tells a full disk from other faults: the one can be mended by whoever holds the device. */
internal fun <T> toldAsVaultFailure(work: () -> T): T = try {
    work()
} catch (e: IOException) {
    throw failure(e)
} catch (e: ErrnoException) {
    throw failure(e)
} catch (e: GeneralSecurityException) {
    throw failure(e)
} catch (e: ProviderException) {
    // The Keystore's own daemon keeps its keys on the same disk.
    throw failure(e)
}

private fun failure(e: Throwable): VaultFailure =
    if (generateSequence(e) { it.cause }.take(DEPTH).any(::isFull)) VaultFailure.Full() else VaultFailure.Failed()

// Android puts the system's error under its own exceptions, or into their text alone.
private fun isFull(e: Throwable): Boolean =
    if (e is ErrnoException) {
        e.errno == OsConstants.ENOSPC || e.errno == OsConstants.EDQUOT
    } else {
        e.message.orEmpty().let { "ENOSPC" in it || "EDQUOT" in it || "No space left on device" in it }
    }

// A cause may be its own.
private const val DEPTH = 8
