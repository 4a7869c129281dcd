// What a signed-in person is writing, from the first word until it lies in the outbox. Nothing half-written is lost: it
// is kept there as a draft whenever its writer may not come back to it. Not here: changing the text of what is in the
// outbox already, which is in Editing.

package jp.renraku.app.model

import jp.renraku.core.MobileException
import jp.renraku.core.PatientId
import jp.renraku.core.PostId
import jp.renraku.core.StorageTrouble
import jp.renraku.core.Text
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.File
import java.io.IOException
import java.util.UUID

/** Begins a post about a patient, or goes on with it. What was begun about another one is kept as a draft. */
fun WorkModel.beginSketch(id: PatientId) {
    if (state.value.sketch?.patientId == id) return
    mutable.update { it.begun(it.aside.lastOrNull { one -> one.patientId == id } ?: Sketch(id)) }
    scope.launch { state.value.aside.forEach { keep(it.id) } }
}

/**
 * Changes the post with this id; false where it is not being written any more, or just put into the outbox, for then
 * the change would not be of it.
 */
fun WorkModel.change(id: PostId, how: (Sketch) -> Sketch): Boolean {
    val isThere = state.value.sketches.any { it.id == id }
    if (state.value.composing == id || !isThere) return false
    mutable.update { it.changed(id, how) }
    // A film that ends because its writer went away: they need not come back to it.
    if (away || state.value.sketch?.id != id) scope.launch { keep(id) }
    return true
}

/**
 * Adds what was taken to the post with this id: in [work], whose screen opened the camera, or wherever it is since. A
 * film ends after its work did, which may end by itself. Where there is no such post any more, it is removed.
 */
fun AppModel.add(work: WorkModel, id: PostId, shot: Shot) {
    val more = { sketch: Sketch -> sketch.copy(shots = sketch.shots + shot) }
    val added = work.change(id, more) || state.value.work?.change(id, more) == true || locked.change(id, more)
    if (!added) shot.file.delete()
}

/**
 * Seals what is being written in the outbox as a draft, and takes the draft back of what was emptied since. Who writes
 * goes on with it; what was put aside goes from memory. Waits for what is on its way into the outbox. Gives what
 * hindered it, or none: it is told, but not where the work is closed, and what could not be kept stays in memory.
 */
suspend fun WorkModel.keepSketch(): Exception? = state.value.sketches.map { keep(it.id) }.firstOrNull { it != null }

/** The same of one post. */
internal suspend fun WorkModel.keep(id: PostId): Exception? = lasting {
    var isNew = false
    val fault = write {
        val sketch = state.value.sketches.find { it.id == id } ?: return@write
        if (!sketch.isSafe) {
            if (sketch.isEmpty) unkeep(id) else seal(sketch)
            val now = if (sketch.isEmpty) null else sketch.copy(kept = null)
            mutable.update { it.changed(id) { one -> one.copy(kept = now) } }
            isNew = true
        }
        if (state.value.aside.any { it.id == id && it.isSafe }) drop(id)
    }
    if (isNew && !closed) loadOutbox()
    // What a session that is over means, its next call tells.
    if (fault != null && !closed) mutable.update { it.copy(trouble = Words.unkept(fault)) }
    fault
}

private suspend fun WorkModel.unkeep(id: PostId) = try {
    session.outbox().takeBack(id)
} catch (_: MobileException.NotFound) {
    // Gone is gone.
}

/** The files stay with who writes: copies of them are handed over, so that the draft needs nothing in the clear. */
private suspend fun WorkModel.seal(sketch: Sketch) {
    if (sketch.kept?.shots == sketch.shots) {
        try {
            return session.outbox().edit(sketch.id, Text(sketch.body, sketch.urgent, sketch.site))
        } catch (e: MobileException) {
            // One that left is not this one any more.
            if (e is MobileException.Conflict) throw e
            // No draft any more, or a session that is over and shows none: it is kept anew.
        }
    }
    val copies = sketch.shots.associate { it.file to beside(it.file) }
    try {
        withContext(Dispatchers.IO) { copies.forEach { (file, copy) -> duplicate(file, copy) } }
        session.outbox().compose(sketch.draft(asDraft = true) { copies.getValue(it.file) })
    } finally {
        copies.values.forEach { it.delete() }
    }
}

private fun beside(file: File) = File(file.parentFile, "${UUID.randomUUID()}.${file.extension}")

private fun duplicate(file: File, copy: File) = try {
    file.copyTo(copy)
} catch (_: IOException) {
    val full = file.exists() && file.length() > copy.length() + (file.parentFile?.usableSpace ?: 0)
    throw MobileException.Storage(if (full) StorageTrouble.Full else StorageTrouble.File)
}

/**
 * True when the post and its files are sealed on the disk, which takes as long as copying the files. Its text
 * leaves at once if the network allows; its films and pictures, now the core's, follow when they are made. A second
 * tap meanwhile does nothing, and a screen that is left meanwhile stops nothing. Where it fails, the post is still
 * being written, or lies aside when another one was begun.
 */
suspend fun WorkModel.compose(asDraft: Boolean): Boolean {
    val sketch = state.value.sketch
    if (state.value.composing != null || sketch == null) return false
    mutable.update { it.copy(composing = sketch.id) }
    return lasting {
        val fault = try {
            write {
                session.outbox().compose(sketch.draft(asDraft))
                mutable.update { it.without(sketch.id) }
            }
        } finally {
            mutable.update { it.copy(composing = null) }
        }
        if (!told(fault)) return@lasting false
        loadOutbox()
        if (sketch.shots.isNotEmpty()) prepare()
        scope.launch { flush(now = true) }
        true
    }
}

/** Forgets a post that is being written, with its files in the clear. What is in the outbox stays there. */
internal fun WorkModel.drop(id: PostId) {
    // What is just put into the outbox is the core's to remove.
    if (state.value.composing == id) return
    state.value.sketches.find { it.id == id }?.discard()
    mutable.update { it.without(id) }
}

/** Forgets all that is being written, as [drop]. */
fun WorkModel.dropSketches() = state.value.sketches.forEach { drop(it.id) }

/**
 * What is left in memory for a person who is locked out, after keepSketch. It is not here any more then. A post of
 * which there is nothing yet is among it: its film may still come.
 */
internal suspend fun WorkModel.unfinished(): Unfinished {
    // Also what needs no keeping comes to its end: an edit on its way.
    write {}
    val left = state.value.let { Unfinished(it.sketch, it.aside, it.editing?.copy(saving = false)) }
    mutable.update { it.copy(sketch = null, aside = emptyList(), editing = null) }
    return left
}

/** Goes on with what was being written before a lock. */
internal fun WorkModel.goOn(left: Unfinished) {
    val sketch = left.sketch?.takeUnless { it.isEmpty && it.isSafe }
    val path = when {
        left.editing != null -> listOf(Place.Timeline(left.editing.item.patientId))
        sketch != null -> sketch.patientId.let { listOf(Place.Timeline(it), Place.Compose(it)) }
        else -> emptyList()
    }
    mutable.update { it.copy(sketch = sketch, aside = left.aside, editing = left.editing, path = path) }
    scope.launch { state.value.aside.forEach { keep(it.id) } }
}
