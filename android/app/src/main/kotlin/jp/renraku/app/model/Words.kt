// What screens say: sentences for errors, names of professions, places and states. Pure, any thread.
// Not here: the sentences of the problem codes, which are the core's.

package jp.renraku.app.model

import jp.renraku.core.BodySite
import jp.renraku.core.Diagnosis
import jp.renraku.core.FileState
import jp.renraku.core.Gender
import jp.renraku.core.ItemMedia
import jp.renraku.core.ItemState
import jp.renraku.core.MediaKind
import jp.renraku.core.MobileException
import jp.renraku.core.Profession
import jp.renraku.core.StorageTrouble
import jp.renraku.core.problemSentence
import jp.renraku.core.storageSentence
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.util.Locale

/** The town took the device out of use: the core has wiped what it kept here. */
val Exception?.isRevoked: Boolean get() = this is MobileException.Certificate && code == "certificate_revoked"

object Words {
    /** What to do about an error, or none when the person cancelled it. */
    fun sentence(error: Exception): String? = when (error) {
        is MobileException.Offline ->
            error.code?.let(::problemSentence) ?: "通信できません。電波の届く場所で、もう一度お試しください。"
        is MobileException.NotFound -> problemSentence("not_found")
        is MobileException.SignedOut -> problemSentence(error.code)
        is MobileException.Conflict -> problemSentence(error.code)
        is MobileException.Certificate -> problemSentence(error.code)
        is MobileException.Invalid -> refused(error.code, error.field)
        is MobileException.Media -> problemSentence(error.code)
        is MobileException.Cancelled -> null
        is MobileException.Storage -> sentence(error.trouble)
        is MobileException.Unexpected -> unexpected(error.reference)
        else -> unexpected(null)
    }

    fun sentence(diagnosis: Diagnosis): String = when (diagnosis) {
        is Diagnosis.Ready -> "接続できます。サインインしてください。"
        is Diagnosis.NotEnrolled -> problemSentence("certificate_missing")
        is Diagnosis.Offline -> "通信できません。端末のネットワークを確認してください。"
        is Diagnosis.Refused -> problemSentence(diagnosis.code)
    }

    /** About a push that told nothing. [stale]: the server was not reached; [others]: the device has other towns. */
    fun unopened(stale: Boolean, others: Boolean): String = "開けませんでした。" + when {
        stale && others -> "電波が届かないか、ほかの自治体の連絡です。"
        stale -> "電波の届く場所で、もう一度お試しください。"
        others -> "ほかの自治体の連絡かもしれません。"
        else -> "取り消されたか、今は見られない連絡です。"
    }

    /** Why what is being written could not be kept as a draft. */
    fun unkept(error: Exception): String? = sentence(error)?.let { "書きかけの内容を下書きに保存できませんでした。$it" }

    /** About a 2-D code that the phone's own reader did not read. */
    const val UNREAD_CODE = "2次元コードを読み取れませんでした。もう一度読み取るか、内容を入力してください。"

    /** About a text that was changed when the post had left. */
    const val LEFT_ALREADY = "もう送信が始まったため、直せません。必要な文は、選んでコピーしてから閉じてください。"

    private fun sentence(trouble: StorageTrouble): String = storageSentence(trouble)

    private fun unexpected(reference: String?): String {
        val sentence = "問題が起きました。しばらくして、もう一度お試しください。"
        return if (reference == null) sentence else "${sentence}続くときは、番号 $reference を事務局にお伝えください。"
    }

    /** Why something was refused, and what to do about the field at fault where it is one of a post's. */
    private fun refused(code: String, field: String?): String = when (field) {
        "urgent" -> "この自治体では「緊急（重要）」を付けられません。「直す」で外してから送信してください。"
        "body" -> "本文が空か、長すぎるか、使えない文字があります。直してから送信してください。"
        "description" -> "写真・動画の説明は、改行のない200字までの文にしてください。"
        "acknowledged" -> "この自治体では👍を付けられません。"
        else -> problemSentence(code)
    }

    fun state(state: ItemState): String = when (state) {
        is ItemState.Draft -> "下書き"
        is ItemState.Waiting -> "送信待ち"
        is ItemState.Sending -> "送信中"
        is ItemState.Sent -> "送信済"
        is ItemState.Failed -> "失敗：${refused(state.code, state.field)}"
    }

    /** What a file of a post on its way is, and how far, where it is not being sent. */
    fun file(media: ItemMedia): String {
        val what = if (media.kind == MediaKind.VIDEO) "動画" else "写真"
        return when (val state = media.state) {
            is FileState.Planned -> "$what：準備中"
            is FileState.Made -> what
            is FileState.Failed -> "$what：失敗：${problemSentence(state.code)}"
        }
    }

    /** Tells that a screen shows what was known then. */
    fun stale(seenAt: Long?): String =
        if (seenAt == null) "前回の内容を表示しています。" else "前回（${time(seenAt)}）の内容を表示しています。"

    fun profession(profession: Profession): String = when (profession) {
        Profession.PHYSICIAN -> "医師"
        Profession.DENTIST -> "歯科医師"
        Profession.PHARMACIST -> "薬剤師"
        Profession.NURSE -> "看護師"
        Profession.PUBLIC_HEALTH_NURSE -> "保健師"
        Profession.CARE_MANAGER -> "ケアマネジャー"
        Profession.HELPER -> "介護職"
        Profession.THERAPIST -> "療法士"
        Profession.DIETITIAN -> "管理栄養士"
        Profession.SOCIAL_WORKER -> "相談員"
        Profession.CLERK -> "事務職"
        Profession.OTHER -> "その他"
    }

    fun gender(gender: Gender): String = when (gender) {
        Gender.MALE -> "男"
        Gender.FEMALE -> "女"
        Gender.OTHER -> "その他"
        Gender.UNKNOWN -> "不明"
    }

    fun site(site: BodySite): String = when (site) {
        BodySite.HEAD -> "頭部"
        BodySite.FACE -> "顔"
        BodySite.NECK -> "首"
        BodySite.CHEST -> "胸部"
        BodySite.ABDOMEN -> "腹部"
        BodySite.BACK -> "背部"
        BodySite.SACRUM -> "仙骨部"
        BodySite.BUTTOCK -> "殿部"
        BodySite.LEFT_ARM -> "左上肢"
        BodySite.RIGHT_ARM -> "右上肢"
        BodySite.LEFT_HAND -> "左手"
        BodySite.RIGHT_HAND -> "右手"
        BodySite.LEFT_HIP -> "左大転子部"
        BodySite.RIGHT_HIP -> "右大転子部"
        BodySite.LEFT_LEG -> "左下肢"
        BodySite.RIGHT_LEG -> "右下肢"
        BodySite.LEFT_HEEL -> "左踵"
        BodySite.RIGHT_HEEL -> "右踵"
        BodySite.LEFT_FOOT -> "左足"
        BodySite.RIGHT_FOOT -> "右足"
        BodySite.OTHER -> "その他"
    }

    /** A day and time as the town's people write it, in the town's time zone. */
    fun time(millis: Long): String = FORMAT.format(Instant.ofEpochMilli(millis))

    private val FORMAT: DateTimeFormatter =
        DateTimeFormatter.ofPattern("M月d日(E) H:mm", Locale.JAPAN).withZone(ZoneId.of("Asia/Tokyo"))
}
