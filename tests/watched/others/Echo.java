import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A server and its client, in Java. */
public class Echo {
    static void serve(ServerSocket listener) {
        try (Socket server = listener.accept()) {
            server.getInputStream().transferTo(server.getOutputStream());
        } catch (Exception error) {
            throw new RuntimeException(error);
        }
    }

    public static void main(String[] words) throws Exception {
        ServerSocket listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Thread serving = new Thread(() -> serve(listener));
        serving.start();
        try (Socket client = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
            client.getOutputStream().write("hello\n".getBytes());
            client.shutdownOutput();
            var answer = new BufferedReader(new InputStreamReader(client.getInputStream()));
            System.out.println(answer.readLine());
        }
        serving.join();
        listener.close();
    }
}
