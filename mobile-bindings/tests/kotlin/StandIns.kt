// Stand-ins for the core's objects: towns, devices, sessions. Their outboxes are in FakeOutbox.

package jp.renraku.core.test

import jp.renraku.app.model.AppModel
import jp.renraku.app.model.Sketch
import jp.renraku.app.model.Towns
import jp.renraku.app.model.WorkModel
import jp.renraku.app.model.change
import jp.renraku.core.CancelToken
import jp.renraku.core.CertificateStatus
import jp.renraku.core.Diagnosis
import jp.renraku.core.EnrolmentForm
import jp.renraku.core.Gender
import jp.renraku.core.KnownPerson
import jp.renraku.core.MobileException
import jp.renraku.core.Municipality
import jp.renraku.core.NoHandle
import jp.renraku.core.Patient
import jp.renraku.core.PatientId
import jp.renraku.core.PatientSeen
import jp.renraku.core.PatientsSeen
import jp.renraku.core.PersonLock
import jp.renraku.core.Profession
import jp.renraku.core.PushShown
import jp.renraku.core.RenrakuCertificate
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.RenrakuPatients
import jp.renraku.core.RenrakuPerson
import jp.renraku.core.RenrakuPosts
import jp.renraku.core.RenrakuSession
import jp.renraku.core.Role
import jp.renraku.core.Staff
import jp.renraku.core.StaffId
import jp.renraku.core.StorageTrouble
import jp.renraku.core.TimelinePage
import jp.renraku.core.Unlocked
import jp.renraku.core.Vault
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import java.io.File

/** Places and the slugs of the towns that are enrolled there. */
internal class FakeTowns(vararg places: Pair<String?, String?>) : Towns {
    val devices = places.associate { (place, enrolled) -> place to FakeDevice(this, enrolled) }.toMutableMap()
    var refusal: MobileException? = null

    /** A sign-in waits for it. */
    var gate: CompletableDeferred<Unit>? = null

    /** How the servers are reached. */
    var stale = false
    var offline = false

    /** The folders cannot be read. */
    var unlisted = false

    /** The people have a PIN; this is what it opens, or the last wrong try. */
    var pin = false
    var finger = false
    var wiped = false
    var diagnosis: Diagnosis = Diagnosis.Ready

    /** What is told about a push. */
    var told: Unlocked? = null
    private val outboxes = mutableMapOf<StaffId, FakeOutbox>()

    fun outbox(staff: StaffId) = outboxes.getOrPut(staff) { FakeOutbox() }
    override var last: String? = null

    override suspend fun known(): List<String> =
        if (unlisted) throw MobileException.Storage(StorageTrouble.Damaged) else devices.keys.filterNotNull()

    override suspend fun open(town: String?): RenrakuDevice = devices.getOrPut(town) { FakeDevice(this, null) }
        .also { if (it.broken) throw MobileException.Storage(StorageTrouble.Damaged) }
}

internal class FakeDevice(private val towns: FakeTowns, var enrolled: String?) : RenrakuDevice(NoHandle) {
    var broken = false
    var asked = 0

    /** The town took it out of use. */
    var revoked = false
        set(value) {
            field = value
            enrolled = null
        }

    override fun municipality() = enrolled?.let(::municipality)

    override fun certificate() = object : RenrakuCertificate(NoHandle) {
        override fun status() = CertificateStatus(null, 0, false)

        override suspend fun enrol(form: EnrolmentForm): Municipality {
            asked += 1
            towns.refusal?.let { throw it }
            enrolled = form.slug
            return municipality(form.slug)
        }

        override suspend fun renew(session: RenrakuSession): CertificateStatus = throw checkNotNull(towns.refusal)

        override suspend fun diagnose() = towns.diagnosis.also {
            if (it == Diagnosis.Refused("certificate_revoked")) revoked = true
        }
    }

    override fun person(staffId: StaffId) = object : RenrakuPerson(NoHandle) {
        override suspend fun lockState() = PersonLock(towns.pin, towns.finger, 10u)

        override suspend fun resume() = FakeSession(towns, this@FakeDevice, enrolled!!, staffId.substringBefore('-'))

        override suspend fun unlockWithPin(pin: String) = tried()

        override suspend fun unlockWithBiometrics(guarded: Vault) = tried()

        override suspend fun setPin(current: String?, pin: String) = tried()

        private fun tried() {
            if (towns.wiped) throw MobileException.Storage(StorageTrouble.Wiped)
        }

        /** Closes the store of a person with a PIN. */
        override suspend fun lock() {
            if (towns.pin) towns.outbox(staffId).locked = true
        }

        override suspend fun forget() {}
    }

    override suspend fun forget() {
        enrolled = null
    }

    override suspend fun people() = listOfNotNull(enrolled?.let { KnownPerson("nurse-$it", "${it}の看護師") })

    override suspend fun signIn(loginId: String, password: String): RenrakuSession {
        towns.gate?.await()
        return FakeSession(towns, this, enrolled!!, loginId)
    }
}

internal class FakeSession(
    private val towns: FakeTowns,
    private val device: FakeDevice,
    private val town: String,
    private val loginId: String,
) : RenrakuSession(NoHandle) {
    init {
        towns.outbox(staff().id).locked = false
    }

    override fun staff() = Staff("$loginId-$town", "f", "ステーション", "${town}の看護師", Profession.NURSE, Role.MEMBER)

    override fun mustChangePassword() = false

    override fun until(cancelled: CancelToken): RenrakuSession = this

    override fun patients() = object : RenrakuPatients(NoHandle) {
        override suspend fun list(): PatientsSeen {
            if (device.revoked) throw MobileException.Certificate("certificate_revoked")
            return if (towns.offline) throw MobileException.Offline(null) else PatientsSeen(emptyList(), towns.stale, null)
        }

        override suspend fun listLastSeen(): PatientsSeen? = null

        override suspend fun patient(id: PatientId) = PatientSeen(
            Patient(id, "", "", Gender.UNKNOWN, "", 0u, "", "", null, emptyList()), false, null,
        )

        override suspend fun patientLastSeen(id: PatientId): PatientSeen? = null
    }

    override fun posts() = object : RenrakuPosts(NoHandle) {
        override suspend fun timeline(patientId: PatientId, before: String?) = TimelinePage(emptyList(), null, false, null)

        override suspend fun timelineLastSeen(patientId: PatientId, before: String?): TimelinePage? = null
    }

    override fun outbox() = towns.outbox(staff().id)

    override suspend fun changePassword(current: String, new: String) {}

    override suspend fun signOut() {
        towns.outbox(staff().id).locked = true
    }

    /** Without [FakeTowns.told]: of another town, or not reached. */
    override suspend fun handlePush(payload: String) = PushShown("新しい連絡があります", towns.told)
}

internal fun municipality(slug: String) = Municipality(
    "${slug}町", slug, "支援対象者", "施設", "利用スタッフ", "投稿", "担当者", "事務局", "000-000-0000", "平日",
    100u, 30u, 60u, true, true,
)

/** The app's model over these; what a finger guards is never looked into. */
internal fun CoroutineScope.fakeModel(
    towns: FakeTowns,
    now: () -> Long,
    sweep: (Set<File>) -> Unit = {},
    canRecognise: () -> Boolean = { false },
) = AppModel(this, towns, prove = { true }, guarded = { NoVault }, canRecognise, now, sweep)

private object NoVault : Vault {
    override fun load(name: String): ByteArray? = null

    override fun store(name: String, secret: ByteArray) {}

    override fun remove(name: String) {}
}

/** Writes in the post that is in front. */
internal fun WorkModel.jot(how: (Sketch) -> Sketch): Boolean = change(state.value.sketch!!.id, how)
