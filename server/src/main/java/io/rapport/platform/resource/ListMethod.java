package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.rapport.platform.Caller;
import io.rapport.platform.PageRoom;
import io.rapport.platform.PageTokens;
import io.rapport.platform.v1.Resource.SortOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The list of one kind of entity. */
final class ListMethod {
  private final Mapping mapping;
  private final Reader reader;
  private final Message answer;
  private final Accessor pageSize;
  private final Accessor pageToken;
  private final Accessor filter;
  private final Accessor order;
  private final Accessor showInactive;
  private final Accessor readMask;
  private final Accessor entities;
  private final Accessor nextPageToken;
  private final Filters filters;
  private final Map<Integer, SortOrder> orders = new HashMap<>();
  private final List<FieldDescriptor> paging;

  ListMethod(Mapping mapping, Reader reader, Shape request, Shape answer) {
    this.mapping = mapping;
    this.reader = reader;
    this.answer = answer.prototype();
    this.pageSize = request.field("page_size");
    this.pageToken = request.field("page_token");
    this.filter = request.field("filter");
    this.order = request.field("order");
    this.showInactive = request.field("show_inactive");
    this.readMask = request.field("read_mask");
    this.entities = answer.accessor(answer.holding(mapping.prototype().getDescriptorForType()));
    this.nextPageToken = answer.field("next_page_token");
    this.filters = new Filters(mapping, request.inner("filter").prototype());
    this.paging =
        List.of(
            request.descriptor("page_size"),
            request.descriptor("page_token"),
            request.descriptor("read_mask"));
    findOrders(request.descriptor("order").getEnumType().getValues());
  }

  private void findOrders(List<EnumValueDescriptor> values) {
    Map<String, Integer> numbers = new HashMap<>();
    values.forEach(value -> numbers.put(value.getName(), value.getNumber()));
    numbers.values().remove(0);
    Set<String> declared = new TreeSet<>();
    for (SortOrder it : mapping.orders()) {
      declared.add(it.getName());
      orders.put(numbers.getOrDefault(it.getName(), 0), it);
    }
    if (!declared.equals(new TreeSet<>(numbers.keySet()))) {
      throw new IllegalStateException(
          "%s declares the orders %s, and its list has %s"
              .formatted(mapping.kind(), declared, new TreeSet<>(numbers.keySet())));
    }
    orders.put(0, mapping.orders().getFirst());
  }

  Message list(Message request) {
    Caller.Tenant tenant = Caller.currentTenant();
    Message arguments = arguments(request);
    Listing.@Nullable Cursor after =
        PageTokens.decode(tenant, arguments, (String) pageToken.get(request))
            .map(Listing.Cursor::of)
            .orElse(null);
    int size = PageTokens.size((Integer) pageSize.get(request));
    Fields fields = Fields.read((FieldMask) readMask.get(request), mapping);
    List<Row> rows = reader.list(tenant.id(), listing(request, after, size + 1), fields);
    List<Message> found = rows.stream().map(row -> row.entity().build()).toList();
    int count = PageRoom.count(found, size);
    Message.Builder built = answer.newBuilderForType();
    entities.set(built, found.subList(0, count));
    if (rows.size() > count) {
      Row last = rows.get(count - 1);
      Listing.Cursor cursor = new Listing.Cursor(String.valueOf(last.position()), last.id());
      nextPageToken.set(built, PageTokens.encode(tenant, arguments, cursor.bytes()));
    }
    return built.build();
  }

  private Message arguments(Message request) {
    Message.Builder arguments = request.toBuilder();
    paging.forEach(arguments::clearField);
    return arguments.build();
  }

  private Listing listing(Message request, Listing.@Nullable Cursor after, int limit) {
    SortOrder by = orders.getOrDefault((Integer) order.get(request), mapping.orders().getFirst());
    return new Listing(
        mapping.column(by.getField()),
        by.getDescending(),
        (Boolean) showInactive.get(request),
        filters.conditions((Message) filter.get(request)),
        after,
        limit);
  }
}
