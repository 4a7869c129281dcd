// What the screens of the work show: where the person is, and what there is to see there.

package jp.renraku.app.model

import jp.renraku.core.Item
import jp.renraku.core.ItemState
import jp.renraku.core.Patient
import jp.renraku.core.PatientId
import jp.renraku.core.PatientSummary
import jp.renraku.core.Post
import jp.renraku.core.PostId
import jp.renraku.core.Receipt

/** Where the person is. */
sealed interface Place {
    data class Timeline(val id: PatientId) : Place
    data class Compose(val id: PatientId) : Place
    data class Readers(val id: PostId) : Place
    data object Outbox : Place

    /** PIN, finger or face, the device's certificate. */
    data object Safety : Place
}

/** What the screens of the work show. */
data class WorkState(
    /** From the list of patients inwards; empty is the list. */
    val path: List<Place> = emptyList(),
    val patients: List<PatientSummary> = emptyList(),
    /** True once the patients were told: only then none means none. */
    val loaded: Boolean = false,
    val patient: Patient? = null,
    val posts: List<Post> = emptyList(),
    val next: String? = null,
    val receipts: List<Receipt> = emptyList(),
    val outbox: List<Item> = emptyList(),
    /** True when the screen shows what the server said last, and not what it says now. */
    val stale: Boolean = false,
    /** When the server said what is shown, in milliseconds; none when that is not known. */
    val seenAt: Long? = null,
    /** How far films and pictures are made, 0 to 1; none when none is being made. */
    val progress: Float? = null,
    /** What is being written; outlives a lock, see LeftBehind. */
    val sketch: Sketch? = null,
    /** What was being written before, and is not kept as a draft yet. At most one post of a patient, here and above. */
    val aside: List<Sketch> = emptyList(),
    /** Which of them is just put into the outbox: nothing can be added to it then. */
    val composing: PostId? = null,
    /** The post in the outbox whose text is being changed. */
    val editing: Editing? = null,
    /** A line about a push that arrived while the app is in front. */
    val news: String? = null,
    val trouble: String? = null,
) {
    val sketches: List<Sketch> get() = aside + listOfNotNull(sketch)

    /** The same with this post in front, and the one before put aside if there is anything of it. */
    fun begun(post: Sketch): WorkState {
        val others = sketches.filter { it.id != post.id && !(it.isEmpty && it.isSafe) }
        return copy(sketch = post, aside = others)
    }

    fun changed(id: PostId, how: (Sketch) -> Sketch): WorkState {
        val change = { one: Sketch -> if (one.id == id) how(one) else one }
        return copy(sketch = sketch?.let(change), aside = aside.map(change))
    }

    fun without(id: PostId): WorkState =
        copy(sketch = sketch?.takeIf { it.id != id }, aside = aside.filter { it.id != id })

    /** What of a patient's posts has not wholly left this device. */
    fun pending(id: PatientId): List<Item> = outbox.filter { it.patientId == id && it.state !is ItemState.Sent }
}
