// Stand-ins for the core's objects: towns, devices, sessions.

package jp.renraku.core.test

import jp.renraku.app.model.Towns
import jp.renraku.core.CancelToken
import jp.renraku.core.CertificateStatus
import jp.renraku.core.EnrolmentForm
import jp.renraku.core.FlushReport
import jp.renraku.core.Item
import jp.renraku.core.KnownPerson
import jp.renraku.core.MobileException
import jp.renraku.core.Municipality
import jp.renraku.core.NoHandle
import jp.renraku.core.PatientsSeen
import jp.renraku.core.PersonLock
import jp.renraku.core.PrepareReport
import jp.renraku.core.Profession
import jp.renraku.core.ProgressListener
import jp.renraku.core.PushShown
import jp.renraku.core.RenrakuCertificate
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.RenrakuOutbox
import jp.renraku.core.RenrakuPatients
import jp.renraku.core.RenrakuPerson
import jp.renraku.core.RenrakuSession
import jp.renraku.core.Role
import jp.renraku.core.Staff
import jp.renraku.core.StaffId
import jp.renraku.core.StorageTrouble
import kotlinx.coroutines.CompletableDeferred

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
    override var last: String? = null

    override suspend fun known(): List<String> =
        if (unlisted) throw MobileException.Storage(StorageTrouble.Damaged) else devices.keys.filterNotNull()

    override suspend fun open(town: String?): RenrakuDevice = devices.getOrPut(town) { FakeDevice(this, null) }
        .also { if (it.broken) throw MobileException.Storage(StorageTrouble.Damaged) }
}

internal class FakeDevice(private val towns: FakeTowns, var enrolled: String?) : RenrakuDevice(NoHandle) {
    var broken = false
    var asked = 0

    override fun municipality() = enrolled?.let(::municipality)

    override fun certificate() = object : RenrakuCertificate(NoHandle) {
        override fun status() = CertificateStatus(null, 0, false)

        override suspend fun enrol(form: EnrolmentForm): Municipality {
            asked += 1
            towns.refusal?.let { throw it }
            enrolled = form.slug
            return municipality(form.slug)
        }
    }

    override fun person(staffId: StaffId) = object : RenrakuPerson(NoHandle) {
        override suspend fun lockState() = PersonLock(false, false, 10u)

        override suspend fun lock() {}

        override suspend fun forget() {}
    }

    override suspend fun forget() {
        enrolled = null
    }

    override suspend fun people() = listOfNotNull(enrolled?.let { KnownPerson("nurse-$it", "${it}の看護師") })

    override suspend fun signIn(loginId: String, password: String): RenrakuSession {
        towns.gate?.await()
        return FakeSession(towns, enrolled!!, loginId)
    }
}

internal class FakeSession(private val towns: FakeTowns, private val town: String, private val loginId: String) :
    RenrakuSession(NoHandle) {
    override fun staff() = Staff("$loginId-$town", "f", "ステーション", "${town}の看護師", Profession.NURSE, Role.MEMBER)

    override fun mustChangePassword() = false

    override fun until(cancelled: CancelToken): RenrakuSession = this

    override fun patients() = object : RenrakuPatients(NoHandle) {
        override suspend fun list() =
            if (towns.offline) throw MobileException.Offline(null) else PatientsSeen(emptyList(), towns.stale, null)

        override suspend fun listLastSeen(): PatientsSeen? = null
    }

    override fun outbox() = object : RenrakuOutbox(NoHandle) {
        override suspend fun items() = emptyList<Item>()

        override suspend fun prepare(progress: ProgressListener?) = PrepareReport(0u, 0u)

        override suspend fun flush(now: Boolean) = FlushReport(0u, 0u, 0u, false, null)
    }

    override suspend fun signOut() {}

    /** Of another town, or not reached: nothing to tell. */
    override suspend fun handlePush(payload: String) = PushShown("新しい連絡があります", null)
}

internal fun municipality(slug: String) = Municipality(
    "${slug}町", slug, "支援対象者", "施設", "利用スタッフ", "投稿", "担当者", "事務局", "000-000-0000", "平日",
    100u, 30u, 60u, true, true,
)
