package jp.renraku.core.test

import java.io.File
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import java.security.spec.PKCS8EncodedKeySpec
import jp.renraku.core.DeviceKey
import jp.renraku.core.EnrolmentForm
import jp.renraku.core.KeyFailure
import jp.renraku.core.Municipality
import jp.renraku.core.Platform
import jp.renraku.core.RenrakuDevice
import jp.renraku.core.RenrakuSession
import jp.renraku.core.Vault
import jp.renraku.core.VaultFailure

const val PASSWORD = "asa-no-sanpo-7ji"

/** Stands where Keystore-wrapped files are: one file a secret, whole or not there. */
class FolderVault(private val folder: File) : Vault {
    init {
        folder.mkdirs()
    }

    private fun file(name: String) = File(folder, name.toByteArray().joinToString("") { "%02x".format(it) })

    override fun load(name: String): ByteArray? = file(name).takeIf { it.exists() }?.let { read(it) }

    override fun store(name: String, secret: ByteArray) = replace(file(name), secret)

    override fun remove(name: String) {
        file(name).delete()
    }

    private fun read(file: File) = runCatching { file.readBytes() }.getOrElse { throw VaultFailure.Failed() }
}

/** Stands where StrongBox is: the key outlives the process and only signs. It hands out its public half as Android does. */
class Chip(private val folder: File) : DeviceKey {
    private val secret get() = File(folder, "secret")
    private val public get() = File(folder, "public")

    @Synchronized
    override fun publicKey(): ByteArray {
        if (!secret.exists()) {
            folder.mkdirs()
            val made = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()
            replace(public, made.public.encoded)
            replace(secret, made.private.encoded)
        }
        return public.readBytes()
    }

    @Synchronized
    override fun sign(message: ByteArray): ByteArray {
        if (!secret.exists()) throw KeyFailure.Gone()
        val key = KeyFactory.getInstance("EC").generatePrivate(PKCS8EncodedKeySpec(secret.readBytes()))
        return Signature.getInstance("SHA256withECDSA").run {
            initSign(key)
            update(message)
            sign()
        }
    }

    override fun isHardwareBacked() = true

    @Synchronized
    override fun delete() {
        secret.delete()
        public.delete()
    }
}

private fun replace(file: File, bytes: ByteArray) {
    val fresh = File(file.path + ".new").apply { writeBytes(bytes) }
    Files.move(fresh.toPath(), file.toPath(), StandardCopyOption.ATOMIC_MOVE)
}

/** Opens the core in this folder, as a shell does when its process starts. */
suspend fun open(folder: File, town: Map<String, String>): RenrakuDevice {
    folder.mkdirs()
    val roots = File(town.getValue("roots")).readText()
    return RenrakuDevice.open(File(folder, "app").path, FolderVault(File(folder, "vault")), Chip(File(folder, "chip")), roots)
}

/** Enrols with a new No and password of the office. */
suspend fun RenrakuDevice.enrol(stage: Stage, town: Map<String, String>): Municipality {
    val ticket = stage.ask("ticket")
    return certificate().enrol(form(town, ticket.getValue("number"), ticket.getValue("password")))
}

fun form(town: Map<String, String>, number: String, password: String) = EnrolmentForm(
    publicUrl = town.getValue("public_url"),
    slug = town.getValue("slug"),
    number = number,
    password = password,
    deviceName = "訪問用スマホ",
    platform = Platform.ANDROID,
)

/** A newcomer's first sign-in, with the change of the first password. */
suspend fun RenrakuDevice.firstSignIn(stage: Stage): RenrakuSession {
    val newcomer = stage.ask("newcomer")
    val first = newcomer.getValue("first_password")
    return signIn(newcomer.getValue("login_id"), first).apply { changePassword(first, PASSWORD) }
}
