// The towns that this device has certificates of: which there are, and which one it begins with. Knows nothing of
// folders and keys. Not here: enrolling in one, and changing from one to another, which is AppModel.

package jp.renraku.app.model

import jp.renraku.core.Municipality
import jp.renraku.core.RenrakuDevice
import kotlinx.coroutines.CancellationException

/** The towns as the platform keeps them. A town's name here is its slug; none is the first one's. */
interface Towns {
    /** The towns besides the first one, also those whose enrolment was not finished. */
    suspend fun known(): List<String>

    /** A town's device, the same one each time. A town that was not known gets a place of its own. */
    suspend fun open(town: String?): RenrakuDevice

    /** The town in use last. It outlives the process. */
    var last: String?
}

/** A town to change to. */
data class TownChoice(val slug: String?, val name: String)

/** A town's device, and the town as it described itself; none before the enrolment. */
class OpenTown(val slug: String?, val device: RenrakuDevice, val info: Municipality?)

/**
 * The town to begin with: the one used last, or else the first that is enrolled. None is: the first town, to enrol
 * in. Where a town could not be looked into, it may well be enrolled, and what hindered that is thrown instead.
 */
suspend fun Towns.toBegin(): OpenTown {
    var fault: Exception? = null
    val note = { e: Exception -> fault = fault ?: e }
    for (slug in (listOf(last) + places(note)).distinct()) enrolledIn(slug, note)?.let { return it }
    fault?.let { throw it }
    return open(null).let { OpenTown(null, it, it.municipality()) }
}

/** All that are enrolled. One that cannot be opened now is left out: it must not hinder the others. */
suspend fun Towns.enrolled(): List<OpenTown> = places { }.mapNotNull { slug -> enrolledIn(slug) { } }

private suspend fun Towns.places(onFault: (Exception) -> Unit): List<String?> =
    listOf(null) + (unlessBroken(onFault) { known() } ?: emptyList())

private suspend fun Towns.enrolledIn(slug: String?, onFault: (Exception) -> Unit): OpenTown? = unlessBroken(onFault) {
    val device = open(slug)
    device.municipality()?.let { OpenTown(slug, device, it) }
}

private suspend fun <T> unlessBroken(onFault: (Exception) -> Unit, work: suspend () -> T): T? = try {
    work()
} catch (e: CancellationException) {
    throw e
} catch (e: Exception) {
    onFault(e)
    null
}
