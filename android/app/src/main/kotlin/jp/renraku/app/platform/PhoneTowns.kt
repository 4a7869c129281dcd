// The towns of this phone: each a device of the core's own, with keys of its own in hardware. Not here: which one is
// in use, which the model says.

package jp.renraku.app.platform

import android.content.Context
import jp.renraku.app.model.Towns
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.knownTowns
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** Any thread. */
class PhoneTowns(private val context: Context, private val places: Places) : Towns {
    private val opening = Mutex()
    private val opened = mutableMapOf<String?, RenrakuDevice>()
    private val vault by lazy { KeystoreVault(context) }

    // A slug and nothing of a person's, in no backup.
    private val settings by lazy { context.getSharedPreferences("towns", Context.MODE_PRIVATE) }

    override suspend fun known(): List<String> = knownTowns(places.core().path)

    /** Opened once as long as the process lives: two devices must not share a town's files. */
    override suspend fun open(town: String?): RenrakuDevice = opening.withLock {
        opened.getOrPut(town) {
            // The first town's keys are called as they were when there was only one. Two take turns when the
            // certificate is renewed.
            val own = if (town == null) "" else ".$town"
            RenrakuDevice.openTown(
                places.core().path,
                vault,
                KeystoreKey("device-key$own"),
                KeystoreKey("device-key-2$own"),
                places.extraRoots(),
                town,
            )
        }
    }

    override var last: String?
        get() = settings.getString(LAST, null)
        set(town) = settings.edit().putString(LAST, town).apply()

    private companion object {
        const val LAST = "last"
    }
}
