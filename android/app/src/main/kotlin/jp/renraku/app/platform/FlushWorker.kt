// Sends what waits in every town when the network is back, also after the app was closed. Shows nothing to anybody.
// Not here: order and retries of a single post, which are the core's.

package jp.renraku.app.platform

import android.content.Context
import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import jp.renraku.app.RenrakuApplication
import jp.renraku.core.KnownPerson
import jp.renraku.core.MobileException
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.StorageTrouble
import java.util.concurrent.TimeUnit

class FlushWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val towns = (applicationContext as RenrakuApplication).towns
        var remaining = false
        val further = try {
            towns.known()
        } catch (_: MobileException) {
            remaining = true
            emptyList()
        }
        for (town in listOf(null) + further) {
            try {
                val device = towns.open(town)
                for (person in device.people()) remaining = send(device, person) || remaining
            } catch (_: MobileException) {
                // One town that does not open holds up no other.
                remaining = true
            }
        }
        return if (remaining) Result.retry() else Result.success()
    }

    /** Sends what a person left to be sent; true when something remains that time alone may mend. */
    private suspend fun send(device: RenrakuDevice, person: KnownPerson): Boolean = try {
        device.person(person.staffId).resume().use { session -> session.outbox() }.use { outbox ->
            outbox.flush(true)
            try {
                outbox.prepare()
            } catch (e: MobileException.Storage) {
                // One file that could not be read just now holds up none that was made.
                outbox.flush(true)
                throw e
            }
            outbox.flush(true).remaining > 0u
        }
    } catch (_: MobileException.SignedOut) {
        // Waits, sealed, for the person's next sign-in.
        false
    } catch (_: MobileException.Certificate) {
        // The person must act: the sign-in screen says how.
        false
    } catch (e: MobileException) {
        // Behind a PIN it waits for the person; everything else is tried again.
        !(e is MobileException.Storage && e.trouble is StorageTrouble.Locked)
    }

    companion object {
        /**
         * Plans a pass for when there is a network, in the place of the one planned before: that may wait for hours
         * after some that failed, and what is new must not. One that is under way is broken off, and this one takes up
         * what it began. Not to be called from a pass itself, which would break itself off.
         */
        fun plan(context: Context) {
            val online = Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build()
            val work = OneTimeWorkRequestBuilder<FlushWorker>()
                .setConstraints(online)
                .setBackoffCriteria(BackoffPolicy.EXPONENTIAL, 30, TimeUnit.SECONDS)
                .build()
            WorkManager.getInstance(context).enqueueUniqueWork("flush", ExistingWorkPolicy.REPLACE, work)
        }
    }
}
