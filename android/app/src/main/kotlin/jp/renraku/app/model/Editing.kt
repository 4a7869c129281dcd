// What a person does with what they put into the outbox: changes its text, lets it go, takes it back. Not here: writing
// it, which is in Writing; sending, which is WorkModel's.

package jp.renraku.app.model

import jp.renraku.core.Item
import jp.renraku.core.MobileException
import jp.renraku.core.Text
import kotlinx.coroutines.flow.update

/** A post in the outbox whose text is being changed. Outlives what becomes of the post meanwhile. */
data class Editing(
    val item: Item,
    val body: String = item.body,
    val urgent: Boolean = item.urgent,
    /** True while it is being kept. */
    val saving: Boolean = false,
    /** Why it was not kept, or none. */
    val trouble: String? = null,
) {
    val isChanged: Boolean get() = body != item.body || urgent != item.urgent
}

/** Begins to change a post's text. Of one that is still being written, what was written since is kept first. */
suspend fun WorkModel.beginEdit(item: Item) = lasting {
    if (keep(item.id) == null) {
        val now = state.value.outbox.find { it.id == item.id } ?: item
        mutable.update { it.copy(editing = Editing(now)) }
    }
}

fun WorkModel.changeEdit(body: String, urgent: Boolean) = mutable.update { now ->
    now.copy(editing = now.editing?.takeUnless { it.saving }?.copy(body = body, urgent = urgent) ?: now.editing)
}

fun WorkModel.dropEdit() = mutable.update { it.copy(editing = null) }

/**
 * Keeps the changed text; only then the editor closes. What hinders it stands in the editor, beside the text. The post
 * is not being written any more then: sent later, that would count as this post, and be lost.
 */
suspend fun WorkModel.edit(): Boolean {
    val editing = state.value.editing?.takeUnless { it.saving } ?: return false
    val (item, body, urgent) = editing
    mutable.update { it.copy(editing = editing.copy(saving = true, trouble = null)) }
    return lasting {
        val fault = write {
            session.outbox().edit(item.id, Text(body, urgent, item.bodySite))
            drop(item.id)
        }
        val trouble = when (fault) {
            null -> null
            is MobileException.Conflict, is MobileException.NotFound -> Words.LEFT_ALREADY
            else -> Words.sentence(fault)
        }
        mutable.update { it.copy(editing = if (fault == null) null else editing.copy(trouble = trouble)) }
        if (fault is MobileException.SignedOut || fault.isRevoked) told(fault)
        loadOutbox()
        fault == null
    }
}

/** Lets a draft go, with what was written of it since, or tries a failed post again. */
suspend fun WorkModel.release(item: Item): Boolean = lasting {
    if (keep(item.id) != null) return@lasting false
    val fault = write {
        session.outbox().release(item.id)
        drop(item.id)
    }
    val done = told(fault)
    loadOutbox()
    if (state.value.outbox.any { it.id == item.id && it.media.isNotEmpty() }) prepare()
    flush(now = true)
    done
}

/** Takes a post back, and what was written of it since. Ask before. */
suspend fun WorkModel.takeBack(item: Item): Boolean = lasting {
    val fault = write {
        session.outbox().takeBack(item.id)
        drop(item.id)
    }
    val done = told(fault)
    loadOutbox()
    done
}
