// What a signed-in person does: patients, a timeline, reading, composing, the outbox. Knows no screen.
// Not here: signing in and locking, which is AppModel; retrying and order of sending, which are the core's.

package jp.renraku.app.model

import jp.renraku.core.CancelToken
import jp.renraku.core.Item
import jp.renraku.core.Media
import jp.renraku.core.MediaId
import jp.renraku.core.MobileException
import jp.renraku.core.Municipality
import jp.renraku.core.PatientId
import jp.renraku.core.PatientSeen
import jp.renraku.core.PatientsSeen
import jp.renraku.core.Post
import jp.renraku.core.PostDraft
import jp.renraku.core.PostId
import jp.renraku.core.ProgressListener
import jp.renraku.core.RenrakuSession
import jp.renraku.core.Staff
import jp.renraku.core.Text
import jp.renraku.core.TimelinePage
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import java.io.File

/** Call everything on the scope's thread (the main one). [others]: whether this device has other towns. */
class WorkModel(
    private val scope: CoroutineScope,
    private val session: RenrakuSession,
    val town: Municipality,
    private val others: () -> Boolean,
    private val onSignedOut: suspend (String?) -> Unit,
) {
    private val mutable = MutableStateFlow(WorkState())

    /** What may take long ends with the work. */
    private val asking: RenrakuSession by lazy { session.until(cancel) }
    val state: StateFlow<WorkState> = mutable.asStateFlow()
    val staff: Staff = session.staff()

    private val cancel = CancelToken()
    private var preparing: Job? = null

    /** A card comes onto the screen more than once. */
    private val marked = mutableSetOf<PostId>()
    private var flushing = false

    /** Somebody asked for a pass while one was under way. */
    private var hurry = false
    private var again: Job? = null
    private var closed = false

    /** Stops what is planned. Call it when the person is signed out or locked out. */
    fun close() {
        closed = true
        cancel.cancel()
        again?.cancel()
    }

    fun go(place: Place) = mutable.update { it.copy(path = it.path + place) }

    fun back() = mutable.update { it.copy(path = it.path.dropLast(1)) }

    fun hush() = mutable.update { it.copy(news = null, trouble = null) }

    /** After the sign-in, at the return to the front, when the network is back. */
    suspend fun catchUp() {
        prepare()
        loadPatients()
        (state.value.path.lastOrNull() as? Place.Timeline)?.let { loadTimeline(it.id) }
        flush(now = true)
    }

    suspend fun loadPatients() {
        patients()
    }

    /** The answer, or none where there was none. */
    private suspend fun patients(): PatientsSeen? {
        // What this device holds is there at once; the network may take half a minute, or not come at all.
        if (state.value.patients.isEmpty()) kept { session.patients().listLastSeen() }?.let(::show)
        var seen: PatientsSeen? = null
        attempt { seen = asking.patients().list().also(::show) }
        return seen
    }

    private fun show(seen: PatientsSeen) =
        mutable.update { it.copy(patients = seen.patients, stale = seen.stale, seenAt = seen.seenAt) }

    /** What is kept, or none: what hinders that, the server's answer tells, too. */
    private suspend fun <T> kept(read: suspend () -> T?): T? = try {
        read()
    } catch (_: MobileException) {
        null
    }

    /** The patient with the team, and the newest page. Shows nothing of the patient before. */
    suspend fun loadTimeline(id: PatientId) {
        if (state.value.patient?.id != id) {
            mutable.update { it.copy(patient = null, posts = emptyList(), next = null) }
            val seen = kept { session.patients().patientLastSeen(id) }
            if (seen != null) show(id, seen, kept { session.posts().timelineLastSeen(id, null) })
        }
        attempt {
            val seen = asking.patients().patient(id)
            show(id, seen, asking.posts().timeline(id, null))
        }
        loadOutbox()
    }

    private fun show(id: PatientId, seen: PatientSeen, page: TimelinePage?) = mutable.update {
        if (!isOpen(it, id)) return@update it
        it.copy(
            patient = seen.patient,
            posts = page?.posts ?: emptyList(),
            next = page?.next,
            stale = seen.stale || page?.stale == true,
            seenAt = page?.seenAt ?: seen.seenAt,
        )
    }

    suspend fun loadMore(id: PatientId) {
        val before = state.value.next ?: return
        attempt {
            val page = asking.posts().timeline(id, before)
            mutable.update {
                if (!isOpen(it, id) || it.next != before) return@update it
                it.copy(posts = it.posts + page.posts, next = page.next)
            }
        }
    }

    /** The post came onto the screen. */
    suspend fun saw(post: Post) {
        if (post.read || !marked.add(post.id)) return
        attempt {
            session.posts().markRead(post.id)
            reload(post.id)
        }
    }

    suspend fun acknowledge(post: Post, on: Boolean) {
        attempt {
            session.posts().acknowledge(post.id, on)
            reload(post.id)
        }
    }

    suspend fun loadReceipts(id: PostId) {
        mutable.update { it.copy(receipts = emptyList()) }
        attempt {
            val receipts = asking.posts().receipts(id)
            mutable.update { it.copy(receipts = receipts) }
        }
    }

    /** A picture in small, or none when it has not arrived yet. */
    suspend fun thumbnail(id: MediaId): ByteArray? = try {
        asking.posts().thumbnail(id)
    } catch (_: MobileException) {
        null
    }

    /** Writes a file in the clear to show it. The caller removes it afterwards. */
    suspend fun reveal(media: Media, file: File): Boolean = attempt { asking.posts().media(media.id, file.path) }

    /** Begins a post about a patient, or goes on with it. What was begun about another patient is dropped. */
    fun beginSketch(id: PatientId) {
        if (state.value.sketch?.patientId == id) return
        dropSketch()
        mutable.update { it.copy(sketch = Sketch(id)) }
    }

    /**
     * Changes what was begun; false where there is nothing to change any more, or while it is being kept, for then it
     * would not be of the post.
     */
    fun change(how: (Sketch) -> Sketch): Boolean {
        val sketch = state.value.sketch
        if (closed || state.value.composing || sketch == null) return false
        mutable.update { it.copy(sketch = how(sketch)) }
        return true
    }

    fun dropSketch() {
        // What is being kept is the core's to remove.
        if (!state.value.composing) state.value.sketch?.discard()
        mutable.update { it.copy(sketch = null) }
    }

    /** Goes on with what was written before a lock. */
    fun goOn(sketch: Sketch) {
        val id = sketch.patientId
        mutable.update { it.copy(sketch = sketch, path = listOf(Place.Timeline(id), Place.Compose(id))) }
    }

    /**
     * True when the post and its files are sealed on the disk, which takes as long as copying the files. Its text
     * leaves at once if the network allows; its films and pictures, now the core's, follow when they are made. A second
     * tap meanwhile does nothing, and a screen that is left meanwhile stops nothing.
     */
    suspend fun compose(asDraft: Boolean): Boolean {
        if (state.value.composing) return false
        val sketch = state.value.sketch ?: return false
        val draft = sketch.draft(asDraft)
        mutable.update { it.copy(composing = true) }
        return scope.async {
            try {
                keep(sketch, draft)
            } finally {
                mutable.update { it.copy(composing = false) }
            }
        }.await()
    }

    private suspend fun keep(sketch: Sketch, draft: PostDraft): Boolean {
        if (!attempt { session.outbox().compose(draft) }) return false
        // Another may have been begun meanwhile.
        mutable.update { if (it.sketch == sketch) it.copy(sketch = null) else it }
        loadOutbox()
        if (draft.attachments.isNotEmpty()) prepare()
        scope.launch { flush(now = true) }
        return true
    }

    /** Makes what waits to be made, also of what an earlier run of the app left, and sends it. */
    private fun prepare() {
        if (closed) return
        val before = preparing
        preparing = scope.launch {
            before?.join()
            val ear = object : ProgressListener {
                override fun onProgress(done: Float) = mutable.update { it.copy(progress = done.takeIf { it < 1f }) }
            }
            attempt { asking.outbox().prepare(ear) }
            mutable.update { it.copy(progress = null) }
            loadOutbox()
            // One that could not be read just now holds up none that was made.
            flush(now = true)
        }
    }

    suspend fun loadOutbox() {
        attempt {
            val items = session.outbox().items()
            mutable.update { it.copy(outbox = items) }
        }
    }

    suspend fun edit(item: Item, body: String, urgent: Boolean) {
        attempt { session.outbox().edit(item.id, Text(body, urgent, item.bodySite)) }
        loadOutbox()
    }

    suspend fun release(item: Item) {
        attempt { session.outbox().release(item.id) }
        if (item.media.isNotEmpty()) prepare()
        flush(now = true)
    }

    suspend fun takeBack(item: Item) {
        attempt { session.outbox().takeBack(item.id) }
        loadOutbox()
    }

    /** One pass over what waits, and the next one planned when something remains. */
    suspend fun flush(now: Boolean) {
        if (closed) return
        if (flushing) {
            hurry = hurry || now
            return
        }
        flushing = true
        hurry = false
        again?.cancel()
        var sent = 0u
        var next: Long? = null
        try {
            attempt {
                val report = asking.outbox().flush(now)
                sent = report.sent
                next = report.nextTryAt
            }
        } finally {
            flushing = false
        }
        // What was asked for meanwhile may have come too late for this pass: the network that is back, say.
        next?.let { at -> if (hurry) scope.launch { flush(now = true) } else plan(at) }
        loadOutbox()
        val place = state.value.path.lastOrNull()
        if (sent > 0u && place is Place.Timeline) loadTimeline(place.id)
    }

    private fun plan(at: Long) {
        if (closed) return
        again = scope.launch {
            delay(maxOf(1_000, at - System.currentTimeMillis()))
            // A pass cancels what is planned, and must not cancel itself.
            scope.launch { flush(now = false) }
        }
    }

    /** Fetches what a push is about. `opened`: the person touched it, so its patient is shown. */
    suspend fun take(push: String, opened: Boolean) {
        var unknown = false
        attempt {
            val shown = asking.handlePush(push)
            val unlocked = shown.unlocked
            val patient = unlocked?.patientId
            if (opened && patient != null) {
                mutable.update { it.copy(path = listOf(Place.Timeline(patient))) }
                loadTimeline(patient)
            } else if (opened) {
                unknown = unlocked == null && others()
            } else {
                val parts = listOfNotNull(unlocked?.patientName, unlocked?.authorName, unlocked?.preview)
                val line = if (parts.isEmpty()) shown.locked else parts.joinToString("　")
                mutable.update { it.copy(news = if (unlocked?.urgent == true) "【緊急】$line" else line) }
            }
        }
        val seen = patients() ?: return
        // A push carries no town: another one's is nothing to this one's server, and so is one that does not reach it.
        if (unknown && !closed) mutable.update { it.copy(trouble = Words.unopened(seen.stale)) }
    }

    private fun isOpen(state: WorkState, id: PatientId) = Place.Timeline(id) in state.path

    private suspend fun reload(id: PostId) {
        val seen = session.posts().post(id)
        mutable.update { now -> now.copy(posts = now.posts.map { if (it.id == id) seen.post else it }) }
    }

    private suspend fun attempt(work: suspend () -> Unit): Boolean {
        try {
            work()
            return !closed
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            if (closed) return false
            val sentence = Words.sentence(e)
            if (e is MobileException.SignedOut) onSignedOut(sentence) else mutable.update { it.copy(trouble = sentence) }
            return false
        }
    }
}
