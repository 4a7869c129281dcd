// The folders of the app: the core's own, and a scratch folder for what lies in the clear for a moment.
// Not here: what the core writes.

package jp.renraku.app.platform

import android.content.Context
import java.io.File
import java.io.IOException
import java.util.UUID

class Places(private val context: Context) {
    private val scratch = File(context.noBackupFilesDir, "clear")

    /** The core's folder, in no backup. */
    fun core(): File = File(context.noBackupFilesDir, "renraku").apply { mkdirs() }

    /** A new name for a file in the clear. Nothing is there yet. */
    fun scratch(ending: String): File {
        scratch.mkdirs()
        return File(scratch, "${UUID.randomUUID()}.$ending")
    }

    /** Removes what lies in the clear, except for these files: at the start what an earlier run left. */
    fun sweep(kept: Set<File> = emptySet()) {
        scratch.listFiles()?.filter { it !in kept }?.forEach { it.deleteRecursively() }
    }

    /** PEM of root certificates that were built in for a town whose server has one of its own. */
    fun extraRoots(): String? = try {
        context.assets.open("roots.pem").bufferedReader().use { it.readText() }
    } catch (_: IOException) {
        null
    }
}
