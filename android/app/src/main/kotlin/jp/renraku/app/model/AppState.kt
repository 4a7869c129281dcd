// What the screens before the work show: how far the way in is, and whom and what there is to choose from.

package jp.renraku.app.model

import jp.renraku.core.EnrolmentForm
import jp.renraku.core.KnownPerson
import jp.renraku.core.Municipality
import jp.renraku.core.PersonLock

enum class Stage {
    /** The core is being opened. */
    OPENING,

    /** It could not be opened: `trouble` says why. */
    CLOSED,
    ENROL,
    SIGN_IN,

    /** The PIN of `asked` opens what this device keeps of them. */
    PIN,

    /** The first password must be changed before anything else. */
    CHANGE_PASSWORD,
    WORK,
}

/** What the screens before the work show. */
data class AppState(
    val stage: Stage = Stage.OPENING,
    val town: Municipality? = null,
    /** The other towns of this device that are enrolled. */
    val others: List<TownChoice> = emptyList(),
    /** True while the form is for the certificate of a further town. */
    val adding: Boolean = false,
    val people: List<KnownPerson> = emptyList(),
    val work: WorkModel? = null,
    /** Whose PIN is asked for. */
    val asked: KnownPerson? = null,
    /** How the store of who is asked for, or at work, is guarded. */
    val lock: PersonLock? = null,
    /** True when the device's certificate is at its end, or was refused: the sign-in screen offers to get another. */
    val enrolAnew: Boolean = false,
    /** What the portal's 2-D code said, to fill in the form; none before one was read. */
    val scanned: EnrolmentForm? = null,
    /** True in the last weeks of the device's certificate. */
    val renewalDue: Boolean = false,
    /** True while a call is under way that the screen must wait for. */
    val busy: Boolean = false,
    /** What went wrong, in one sentence for the person, or none. */
    val trouble: String? = null,
    /** What was done, in one sentence, or none. */
    val notice: String? = null,
)
