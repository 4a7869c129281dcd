package jp.renraku.core.test

import java.net.Socket

/** The town around the phones (`tests/tests/shells`): asked one line, it answers one line. */
class Stage(port: Int) : AutoCloseable {
    private val socket = Socket("127.0.0.1", port)
    private val answers = socket.getInputStream().bufferedReader()

    @Synchronized
    fun ask(question: String): Map<String, String> {
        socket.getOutputStream().write("$question\n".toByteArray())
        val answer = checkNotNull(answers.readLine()) { "the stage is gone" }
        val fields = answer.split('\t').filter { '=' in it }
            .associate { it.substringBefore('=') to it.substringAfter('=') }
        fields["error"]?.let { error("$question: $it") }
        return fields
    }

    override fun close() = socket.close()
}
