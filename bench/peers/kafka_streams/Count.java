import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams: counts per target in windows of an hour.
 *
 * Best configuration by its documentation: a thread a core, a large record cache, so that most
 * updates of a window never reach store, changelog or output
 * (https://kafka.apache.org/41/documentation/streams/developer-guide/memory-mgmt.html), large
 * batches and fetches, lz4, long commits, topology optimisation
 * (https://kafka.apache.org/41/documentation/streams/developer-guide/config-streams.html), windows by
 * https://kafka.apache.org/41/documentation/streams/developer-guide/dsl-api.html#windowing.
 * BENCH_STORE selects the store: RocksDB, its default, or memory. The two fields that are needed are
 * searched in the bytes, which costs less than any JSON library, and nothing but the target travels
 * on. Fewer guarantees than Renown's: at least once, which is quicker than exactly once.
 */
public final class Count {
    private static final byte[] TARGET = "\"target\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] AT = "\"at\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NOTHING = {1};

    /** What counting needs of an interaction; time in ms. */
    record Event(Bytes target, long at) {}

    public static void main(String[] arguments) throws Exception {
        boolean hopping = "hopping".equals(System.getenv("BENCH_WINDOW"));
        boolean memory = "memory".equals(System.getenv("BENCH_STORE"));
        LongAdder done = new LongAdder();
        StreamsBuilder builder = new StreamsBuilder();
        KStream<byte[], Event> events = builder.stream(
            List.of(System.getenv("BENCH_TOPICS").split(",")),
            Consumed.with(Serdes.ByteArray(), Serdes.serdeFrom(refuse(), Count::decode))
                .withTimestampExtractor((record, time) -> ((Event) record.value()).at()));
        TimeWindows windows = TimeWindows.ofSizeAndGrace(Duration.ofHours(1), Duration.ofHours(24));
        if (hopping) {
            windows = windows.advanceBy(Duration.ofMinutes(5));
        }
        Materialized<Bytes, Long, WindowStore<Bytes, byte[]>> store = memory
            ? Materialized.as(Stores.inMemoryWindowStore(
                "counts", Duration.ofHours(25), Duration.ofHours(1), false))
            : Materialized.as("counts");
        events.map((key, event) -> org.apache.kafka.streams.KeyValue.pair(event.target(), NOTHING))
            .repartition(Repartitioned.with(Serdes.Bytes(), Serdes.ByteArray()))
            .peek((target, nothing) -> done.increment())
            .groupByKey(Grouped.with(Serdes.Bytes(), Serdes.ByteArray()))
            .windowedBy(windows)
            .count(store.withKeySerde(Serdes.Bytes()).withValueSerde(Serdes.Long())
                .withCachingEnabled());
        Properties settings = settings();
        KafkaStreams streams = new KafkaStreams(builder.build(settings), settings);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(5));
            stopped.countDown();
        }));
        streams.start();
        while (!stopped.await(100, java.util.concurrent.TimeUnit.MILLISECONDS)) {
            System.out.println("PROGRESS " + done.sum());
        }
    }

    private static Properties settings() {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("BENCH_GROUP"));
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BENCH_KAFKA"));
        p.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("BENCH_STATE"));
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 5000);
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 1L << 30);
        p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.CHECK_CRCS_CONFIG), false);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 1 << 20);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        return p;
    }

    private static Serializer<Event> refuse() {
        return (topic, event) -> {
            throw new IllegalStateException("events are only read");
        };
    }

    private static Event decode(String topic, byte[] value) {
        int begin = find(value, TARGET, 0);
        int end = begin;
        while (value[end] != '"') {
            end++;
        }
        int digit = find(value, AT, end);
        long at = 0;
        while (value[digit] >= '0' && value[digit] <= '9') {
            at = at * 10 + value[digit++] - '0';
        }
        return new Event(Bytes.wrap(java.util.Arrays.copyOfRange(value, begin, end)), at);
    }

    /** The place behind the first occurrence of {@code text} at or after {@code from}. */
    private static int find(byte[] value, byte[] text, int from) {
        for (int start = from; ; start++) {
            int same = 0;
            while (same < text.length && value[start + same] == text[same]) {
                same++;
            }
            if (same == text.length) {
                return start + same;
            }
        }
    }
}
