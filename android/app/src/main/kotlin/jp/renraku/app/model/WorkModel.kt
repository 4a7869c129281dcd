// What a signed-in person does: patients, a timeline, reading, sending. Knows no screen. Not here: signing in and
// locking, which is AppModel; writing posts and changing them, which are in Writing and Editing; retrying and order of
// sending, which are the core's.

package jp.renraku.app.model

import jp.renraku.core.CancelToken
import jp.renraku.core.FlushReport
import jp.renraku.core.Media
import jp.renraku.core.MediaId
import jp.renraku.core.MobileException
import jp.renraku.core.Municipality
import jp.renraku.core.PatientId
import jp.renraku.core.PatientSeen
import jp.renraku.core.PatientsSeen
import jp.renraku.core.Post
import jp.renraku.core.PostId
import jp.renraku.core.ProgressListener
import jp.renraku.core.RenrakuSession
import jp.renraku.core.Staff
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
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.io.File

/**
 * Call everything on the scope's thread (the main one). [others]: whether this device has other towns. [onOver]: the
 * session is over, or the device was revoked. [pause]: milliseconds until a pass that failed is tried again.
 */
class WorkModel(
    internal val scope: CoroutineScope,
    internal val session: RenrakuSession,
    val town: Municipality,
    private val others: () -> Boolean,
    private val pause: Long = 60_000,
    private val onOver: suspend (Exception) -> Unit,
) {
    internal val mutable = MutableStateFlow(WorkState())

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
    internal var closed = false
        private set

    /** The app is in the background. */
    internal var away = false

    /** One thing is put into the outbox, or changed there, at a time. */
    private val outbox = Mutex()

    /** Stops what is planned. Call it when the person is signed out or locked out. */
    fun close() {
        closed = true
        cancel.cancel()
        again?.cancel()
    }

    fun go(place: Place) = mutable.update { it.copy(path = it.path + place) }

    fun back() {
        val now = state.value
        mutable.update { it.copy(path = it.path.dropLast(1)) }
        // The timeline shows the draft: as it is now.
        if (now.path.lastOrNull() is Place.Compose && now.sketch?.kept != null) scope.launch { keepSketch() }
    }

    fun hush() = mutable.update { it.copy(news = null, trouble = null) }

    /** Something went wrong that this does not know: with the camera, or the device. */
    fun tell(sentence: String?) = mutable.update { it.copy(trouble = sentence) }

    /** Forgets everything that was shown or being written. */
    fun forget() {
        close()
        state.value.sketches.forEach { it.discard() }
        mutable.value = WorkState()
    }

    /** After the sign-in, at the return to the front, when the network is back. A screen that is left stops nothing. */
    suspend fun catchUp() = lasting {
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
        attempt {
            seen = asking.patients().list().also(::show)
            mutable.update { it.copy(loaded = true) }
        }
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

    /** Makes what waits to be made, also of what an earlier run of the app left, and sends it. */
    internal fun prepare() {
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

    /** One pass over what waits, and the next one planned. A screen that is left meanwhile stops nothing. */
    suspend fun flush(now: Boolean) = lasting { pass(now) }

    private suspend fun pass(now: Boolean) {
        if (closed) return
        if (flushing) {
            hurry = hurry || now
            return
        }
        flushing = true
        hurry = false
        again?.cancel()
        var report: FlushReport? = null
        val fault = fault { report = asking.outbox().flush(now) }
        flushing = false
        // Then nothing can be sent until the person acts.
        val over = fault is MobileException.SignedOut || fault is MobileException.Certificate
        val next = if (fault == null) report?.nextTryAt else System.currentTimeMillis() + pause
        when {
            over -> Unit
            // What was asked for meanwhile may have come too late for this pass: the network that is back, say.
            hurry -> scope.launch { pass(now = true) }
            next != null -> plan(next)
        }
        // Of a pass that nobody asked for only this is told: it comes again by itself.
        if (now || over) told(fault)
        loadOutbox()
        val (sent, place) = (report?.sent ?: 0u) to state.value.path.lastOrNull()
        if (sent > 0u && place is Place.Timeline) loadTimeline(place.id)
    }

    private fun plan(at: Long) {
        if (closed) return
        again = scope.launch {
            delay(maxOf(1_000, at - System.currentTimeMillis()))
            // A pass cancels what is planned, and must not cancel itself.
            scope.launch { pass(now = false) }
        }
    }

    /** Fetches what a push is about. `opened`: the person touched it, so its patient is shown. */
    suspend fun take(push: String, opened: Boolean) {
        var nothing = false
        attempt {
            val shown = asking.handlePush(push)
            val unlocked = shown.unlocked
            val patient = unlocked?.patientId
            if (opened && patient != null) {
                scope.launch { keepSketch() }
                mutable.update { it.copy(path = listOf(Place.Timeline(patient))) }
                loadTimeline(patient)
            } else if (opened && unlocked == null) {
                nothing = true
            } else {
                val parts = listOfNotNull(unlocked?.patientName, unlocked?.authorName, unlocked?.preview)
                val line = if (parts.isEmpty()) shown.locked else parts.joinToString("　")
                mutable.update { it.copy(news = if (unlocked?.urgent == true) "【緊急】$line" else line) }
            }
        }
        val seen = patients() ?: return
        // A push carries no town: another one's is nothing to this one's server, and so is one that does not reach it.
        if (nothing && !closed) tell(Words.unopened(seen.stale, others()))
    }

    private fun isOpen(state: WorkState, id: PatientId) = Place.Timeline(id) in state.path

    private suspend fun reload(id: PostId) {
        val seen = session.posts().post(id)
        mutable.update { now -> now.copy(posts = now.posts.map { if (it.id == id) seen.post else it }) }
    }

    /** Runs to its end although the screen that asked for it is left. */
    internal suspend fun <T> lasting(work: suspend () -> T): T = scope.async { work() }.await()

    /** What hindered this, or none. Waits for whatever else is under way in the outbox. */
    internal suspend fun write(work: suspend () -> Unit): Exception? = outbox.withLock { fault(work) }

    private suspend fun fault(work: suspend () -> Unit): Exception? = try {
        work()
        null
    } catch (e: CancellationException) {
        throw e
    } catch (e: Exception) {
        e
    }

    /** Does what follows from a fault; true when there is none, and the work goes on. */
    internal suspend fun told(fault: Exception?): Boolean {
        if (fault == null || closed) return !closed
        if (fault is MobileException.SignedOut || fault.isRevoked) {
            onOver(fault)
        } else {
            mutable.update { it.copy(trouble = Words.sentence(fault)) }
        }
        return false
    }

    private suspend fun attempt(work: suspend () -> Unit): Boolean = told(fault(work))
}
