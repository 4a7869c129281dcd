// A stand-in for a person's outbox in the core. It keeps to the core's rules, and lasts as long as its device.

package jp.renraku.core.test

import jp.renraku.core.FileState
import jp.renraku.core.FlushReport
import jp.renraku.core.Item
import jp.renraku.core.ItemMedia
import jp.renraku.core.ItemState
import jp.renraku.core.MobileException
import jp.renraku.core.NoHandle
import jp.renraku.core.PostDraft
import jp.renraku.core.PostId
import jp.renraku.core.PrepareReport
import jp.renraku.core.ProgressListener
import jp.renraku.core.RenrakuOutbox
import jp.renraku.core.StorageTrouble
import jp.renraku.core.Text
import kotlinx.coroutines.CompletableDeferred
import java.io.File

internal class FakeOutbox : RenrakuOutbox(NoHandle) {
    val posts = linkedMapOf<PostId, PostDraft>()

    /** What the files were that came in with them. */
    val files = mutableMapOf<PostId, List<String>>()

    /** Calls of each kind; [changes]: of all that change the outbox. */
    var changes = 0
    var composed = 0
    var passes = 0
    var prepared = 0

    /** What a change of the outbox, and a pass, fails with. */
    var refusal: MobileException? = null
    var noPass: MobileException? = null

    /** Why the outbox does not tell what was written: nobody writes over what they cannot see. */
    var unseen: MobileException? = null

    /** The store was closed. */
    var locked = false

    /** What these wait for. */
    var gate: CompletableDeferred<Unit>? = null
    var road: CompletableDeferred<Unit>? = null
    var nextTryAt: Long? = null

    val only: PostDraft get() = posts.values.single()

    override suspend fun compose(draft: PostDraft): PostId {
        composed += 1
        val id = checkNotNull(draft.id)
        changing()
        val brought = draft.attachments.map { File(it.path) }
        if (posts[id]?.keepAsDraft != false) {
            if (brought.any { !it.exists() }) throw MobileException.Storage(StorageTrouble.File)
            files[id] = brought.map { it.readText() }
            posts[id] = draft
        }
        draft.attachments.filter { it.handOver }.forEach { File(it.path).delete() }
        return id
    }

    override suspend fun edit(id: PostId, text: Text) {
        changing()
        unseen?.let { throw it }
        val post = posts[id] ?: throw MobileException.NotFound()
        posts[id] = post.copy(body = text.body, urgent = text.urgent, bodySite = text.bodySite)
    }

    override suspend fun release(id: PostId) {
        changing()
        val post = posts[id] ?: throw MobileException.NotFound()
        posts[id] = post.copy(keepAsDraft = false)
    }

    override suspend fun takeBack(id: PostId) {
        changing()
        posts.remove(id) ?: throw MobileException.NotFound()
        files.remove(id)
    }

    override suspend fun items() = opened().map { (id, post) ->
        val state = if (post.keepAsDraft) ItemState.Draft else ItemState.Waiting
        val media = post.attachments.map { ItemMedia("m", it.kind, FileState.Planned, 0u, 0u, false, "") }
        Item(id, post.patientId, state, post.body, post.urgent, post.bodySite, 0, false, media, 0u, 0)
    }

    override suspend fun prepare(progress: ProgressListener?): PrepareReport {
        opened()
        prepared += 1
        return PrepareReport(0u, 0u)
    }

    override suspend fun flush(now: Boolean): FlushReport {
        passes += 1
        road?.await()
        opened()
        noPass?.let { throw it }
        return FlushReport(0u, 0u, 0u, false, nextTryAt)
    }

    private suspend fun changing() {
        changes += 1
        gate?.await()
        opened()
        refusal?.let { throw it }
    }

    private fun opened() = if (locked) throw MobileException.Storage(StorageTrouble.Locked) else posts
}
