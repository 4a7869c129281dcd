// The way from the app's start to a signed-in person and back: enrolling, signing in, the first password,
// locking, and the change from one town to another. Knows no screen and nothing of Android. Not here: what a
// signed-in person does, which is WorkModel; going on by PIN or finger, which is in Unlocking; setting them, in
// Guarding; what stands in the certificate's way, in Certificate; pushes.

package jp.renraku.app.model

import jp.renraku.core.Diagnosis
import jp.renraku.core.EnrolmentForm
import jp.renraku.core.KnownPerson
import jp.renraku.core.MobileException
import jp.renraku.core.PersonLock
import jp.renraku.core.Platform
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.RenrakuSession
import jp.renraku.core.StaffId
import jp.renraku.core.Vault
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import java.io.File

private const val SECOND_TAP_MILLIS = 1_000

/**
 * Lives as long as the process, because pushes and the outbox need it without a screen. Call everything on the
 * scope's thread (the main one).
 *
 * [towns] opens the device in each of its towns; [prove] makes sure that its holder may use it (face, finger, the
 * device's PIN); [guarded] keeps what only the person's own finger or face gives out, and [canRecognise] tells whether
 * it can now; [now] is a clock in milliseconds that nobody can set back; [sweep] removes what lies in the clear, except
 * for these files.
 */
class AppModel(
    internal val scope: CoroutineScope,
    private val towns: Towns,
    internal val prove: suspend () -> Boolean,
    internal val guarded: () -> Vault,
    val canRecognise: () -> Boolean,
    private val now: () -> Long,
    private val sweep: (Set<File>) -> Unit,
) {
    internal val mutable = MutableStateFlow(AppState())
    val state: StateFlow<AppState> = mutable.asStateFlow()

    private var inUse: OpenTown? = null
    private val device: RenrakuDevice? get() = inUse?.device
    internal var session: RenrakuSession? = null
        private set
    internal var pushToken: String? = null

    /** A push that was opened before anybody was signed in. */
    internal var waitingPush: String? = null
    private var leftAt: Long? = null

    internal val locked = LeftBehind()

    /** When the town was changed last: a second tap would change it back. */
    private var switchedAt: Long? = null

    /** How many calls are under way. */
    private var calls = 0

    /** Begins in the town used last. Call it once at the start, and again to retry from `CLOSED`. */
    fun start(): Job = act(then = ::findOthers) {
        if (device == null) settle()
    }

    private suspend fun settle() {
        mutable.update { it.copy(stage = Stage.OPENING) }
        attempt { use(towns.toBegin()) }
        if (device == null) mutable.update { it.copy(stage = Stage.CLOSED) }
    }

    private suspend fun use(town: OpenTown) {
        inUse = town
        mutable.update { it.copy(town = town.info, enrolAnew = false, scanned = null, renewalDue = false) }
        toSignIn()
    }

    /** Nothing waits for this: another town may take its time to open. */
    private suspend fun findOthers() {
        val enrolled = towns.enrolled()
        val others = enrolled.filter { it.slug != inUse?.slug }.map { TownChoice(it.slug, it.info?.name ?: "") }
        mutable.update { it.copy(others = others.sortedBy { town -> town.name }) }
    }

    /** To another town of this device; only while nobody is at work. */
    fun switchTown(choice: TownChoice): Job = act(then = ::findOthers) {
        val early = switchedAt?.let { now() - it < SECOND_TAP_MILLIS } ?: false
        if (state.value.stage != Stage.SIGN_IN || early) return@act
        val device = towns.open(choice.slug)
        val town = device.municipality()
        if (town == null) {
            say(Words.sentence(Diagnosis.NotEnrolled))
        } else {
            towns.last = choice.slug
            use(OpenTown(choice.slug, device, town))
            switchedAt = now()
        }
    }

    /** To the form for a certificate of a further town. The town in use stays until there is one. */
    fun addTown() {
        if (state.value.busy || state.value.stage != Stage.SIGN_IN) return
        mutable.update { it.copy(stage = Stage.ENROL, adding = true, scanned = null, trouble = null, notice = null) }
    }

    fun enrol(publicUrl: String, slug: String, number: String, password: String, deviceName: String): Job =
        withDevice(then = ::findOthers) { current ->
            val form = EnrolmentForm(
                publicUrl = publicUrl.trim(),
                slug = slug.trim(),
                number = number.trim(),
                password = password.trim(),
                deviceName = deviceName.trim(),
                platform = Platform.ANDROID,
            )
            val (adding, here) = state.value.adding to inUse?.slug
            // Its own town's certificate is what this device gets anew.
            if (towns.enrolled().any { it.info?.slug == form.slug && (adding || it.slug != here) }) {
                say("この自治体の証明書は、この端末にもうあります。")
            } else {
                val place = if (adding) form.slug else here
                val device = if (adding) towns.open(place) else current
                val town = device.certificate().enrol(form)
                towns.last = place
                use(OpenTown(place, device, town))
            }
        }

    /** To the form for another certificate, with a new No. Stores and what waits stay. */
    fun enrolAnew() {
        if (state.value.busy) return
        mutable.update { it.copy(stage = Stage.ENROL, scanned = null, trouble = null, notice = null) }
    }

    fun signIn(loginId: String, password: String): Job = withDevice { device ->
        begin(device, device.signIn(loginId.trim(), password))
    }

    fun changePassword(current: String, new: String, again: String): Job = withDevice { device ->
        val session = session ?: return@withDevice
        if (new == again) {
            session.changePassword(current, new)
            begin(device, session)
        } else {
            say("新しいパスワードが一致しません。もう一度入力してください。")
        }
    }

    fun signOut(): Job = act {
        val (ending, work) = session to state.value.work
        // What could not be kept as a draft waits in memory for who wrote it.
        val unkept = work?.keepSketch()
        if (unkept == null) work?.dropSketches()
        attempt { ending?.signOut() }
        leave(state.value.trouble ?: unkept?.let(Words::unkept))
    }

    /** Forgets a person on this device. What they did not send is lost: ask before. */
    fun forget(person: KnownPerson): Job = withDevice { device ->
        device.person(person.staffId).forget()
        locked.forget(inUse?.slug, person.staffId)
        val people = device.people()
        mutable.update { it.copy(people = people) }
    }

    /** Forgets everybody and the certificate of the town in use, and goes on in another one. Ask before. */
    fun forgetDevice(): Job = withDevice(then = ::findOthers) { device ->
        device.forget()
        locked.forget(inUse?.slug)
        inUse = null
        settle()
        inUse?.let { towns.last = it.slug }
    }

    /** The app went to the background, from where it may never come back. */
    fun left(): Job {
        leftAt = now()
        val work = state.value.work
        work?.away = true
        return scope.launch { work?.keepSketch() }
    }

    /** The app came to the front: locks when it was away for too long, else catches up. */
    fun returned(): Job {
        // At once: it may be left again before anything else is done.
        val away = leftAt?.let { now() - it }
        leftAt = null
        state.value.work?.away = false
        return scope.launch {
            val (town, work) = state.value.let { it.town to it.work }
            if (town == null || work == null) return@launch
            if (away != null && away >= town.relockSeconds.toLong() * 1000) leave(null) else work.catchUp()
        }
    }

    /** The network is back: what was put off without it need not wait any longer. */
    fun networkBack(): Job = scope.launch { state.value.work?.flush(now = true) }

    internal suspend fun begin(device: RenrakuDevice, session: RenrakuSession) {
        if (device !== this.device) {
            // A session of one town is nothing to another one's screens.
            device.person(session.staff().id).lock()
            return
        }
        this.session = session
        if (session.mustChangePassword()) {
            mutable.update { it.copy(stage = Stage.CHANGE_PASSWORD) }
            return
        }
        val town = state.value.town ?: return
        val work = WorkModel(scope, session, town, { state.value.others.isNotEmpty() }) { fault ->
            val sentence = Words.sentence(fault)
            if (!fault.isRevoked) leave(sentence) else if (!revoked(sentence)) state.value.work?.tell(sentence)
        }
        // At work already, when the first password was asked for again: that writing goes on, too.
        state.value.work?.let { before ->
            before.keepSketch()
            locked.keep(inUse?.slug, before.staff.id, before.unfinished())
            before.close()
        }
        locked.take(inUse?.slug, work.staff.id)?.let(work::goOn)
        val due = device.certificate().status()?.renewalDue ?: false
        mutable.update { it.copy(stage = Stage.WORK, work = work, asked = null, renewalDue = due) }
        val push = waitingPush
        waitingPush = null
        scope.launch {
            // Holds up nothing that the person asks for.
            try {
                val lock = device.person(work.staff.id).lockState()
                mutable.update { it.copy(lock = lock) }
            } catch (e: MobileException) {
                say(Words.sentence(e))
            }
            work.catchUp()
            registerPush()
            if (push != null) work.take(push, opened = true)
        }
    }

    internal suspend fun leave(sentence: String?, notice: String? = null) {
        session = null
        val work = state.value.work
        work?.close()
        mutable.update { it.copy(work = null) }
        var unkept: Exception? = null
        attempt {
            if (work != null) {
                unkept = work.keepSketch()
                locked.keep(inUse?.slug, work.staff.id, work.unfinished())
                device?.person(work.staff.id)?.lock()
            }
            toSignIn()
        }
        val said = sentence ?: state.value.trouble ?: unkept?.let(Words::unkept)
        if (said != null) say(said)
        if (notice != null) note(notice)
    }

    /** After the tenth wrong PIN nothing of the person is left on this device. */
    internal suspend fun wiped(person: StaffId) {
        locked.forget(inUse?.slug, person)
        state.value.work?.forget()
        leave(null)
    }

    /**
     * The town took this device out of use: the core wiped what it kept, and nothing stays in memory or in the clear.
     * Anybody on the way may say so: false, and nothing is done, unless the core was told by the town.
     */
    private suspend fun revoked(sentence: String?): Boolean {
        val town = state.value.town
        if (town == null || device?.municipality() != null) return false
        session = null
        waitingPush = null
        state.value.work?.forget()
        locked.forget(inUse?.slug)
        inUse = null
        mutable.update { AppState(busy = it.busy) }
        sweep(locked.files)
        settle()
        inUse?.let { towns.last = it.slug }
        findOthers()
        // On another town's screen it is said whose certificate it was.
        say(if (state.value.stage == Stage.SIGN_IN) "${town.name}：$sentence" else sentence)
        return true
    }

    internal suspend fun toSignIn() {
        val device = device ?: return
        val stage = if (state.value.town == null) Stage.ENROL else Stage.SIGN_IN
        mutable.update { it.copy(stage = stage, adding = false, asked = null, lock = null) }
        val people = device.people()
        mutable.update { it.copy(people = people) }
    }

    internal fun show(lock: PersonLock) = mutable.update { it.copy(lock = lock) }

    /** The PIN of this person is asked for. */
    internal fun ask(person: KnownPerson, lock: PersonLock) =
        mutable.update { it.copy(stage = Stage.PIN, asked = person, lock = lock) }

    /** Says what went wrong; with none, that nothing did. */
    fun say(sentence: String?) = mutable.update { it.copy(trouble = sentence, notice = null) }

    /** Says what was done. */
    internal fun note(sentence: String) = mutable.update { it.copy(notice = sentence) }

    internal fun withDevice(then: suspend () -> Unit = {}, work: suspend (RenrakuDevice) -> Unit): Job =
        act(then) { device?.let { work(it) } }

    /** What a person asked for; does nothing while another such thing is under way. [then] holds up no further one. */
    private fun act(then: suspend () -> Unit = {}, work: suspend () -> Unit): Job {
        if (state.value.busy) return Job().apply { complete() }
        // At once: the next tap may come before this one's work begins.
        count(1)
        return scope.launch {
            try {
                attempt(work)
            } finally {
                count(-1)
            }
            then()
        }
    }

    private fun count(more: Int) {
        calls += more
        mutable.update { it.copy(busy = calls > 0) }
    }

    internal suspend fun attempt(work: suspend () -> Unit) {
        count(1)
        say(null)
        try {
            work()
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            val sentence = Words.sentence(e)
            say(sentence)
            val now = state.value
            // What was refused to a further town is no fault of this one's certificate.
            val refused = e is MobileException.Certificate && !now.adding
            val first = e is MobileException.SignedOut && e.code == "password_change_required" && session != null
            when {
                refused && e.isRevoked && revoked(sentence) -> Unit
                refused -> mutable.update { it.copy(enrolAnew = true) }
                first -> mutable.update { it.copy(stage = Stage.CHANGE_PASSWORD) }
            }
        } finally {
            count(-1)
        }
    }
}
