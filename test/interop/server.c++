// The bootstrap object of `peer serve`.
#include "server.h"

#include <kj/debug.h>

namespace interop {

namespace {

class ResolverServer final : public Resolver::Server, private Counted {
public:
  ResolverServer(Counts& counts, kj::Own<kj::PromiseFulfiller<Target::Client>> fulfiller)
      : Counted(counts), fulfiller(kj::mv(fulfiller)) {}

  kj::Promise<void> resolve(ResolveContext context) override {
    decide();
    fulfiller->fulfill(context.getParams().getTarget());
    return kj::READY_NOW;
  }

  kj::Promise<void> reject(RejectContext context) override {
    decide();
    auto params = context.getParams();
    fulfiller->reject(exceptionOf(params.getType(), params.getReason()));
    return kj::READY_NOW;
  }

private:
  kj::Own<kj::PromiseFulfiller<Target::Client>> fulfiller;
  bool decided = false;

  void decide() {
    KJ_REQUIRE(!decided, "decided already");
    decided = true;
  }
};

class FeederServer final : public Feeder::Server, private Counted {
public:
  FeederServer(Counts& counts, Target::Client target) : Counted(counts), target(kj::mv(target)) {}

  kj::Promise<void> send(SendContext context) override {
    uint count = context.getParams().getCount();
    pending.add(sendNext(target, sent, count));
    sent += count;
    return kj::READY_NOW;
  }

  kj::Promise<void> finish(FinishContext context) override {
    return kj::joinPromises(pending.releaseAsArray()).then([this, context]() mutable {
      context.getResults().setSent(sent);
    });
  }

private:
  Target::Client target;
  uint sent = 0;
  kj::Vector<kj::Promise<void>> pending;
};

class InteropTestServer final : public InteropTest::Server {
public:
  InteropTestServer(World& world, std::shared_ptr<Dropper> dropper)
      : world(world), counts(world.counts), dropper(kj::mv(dropper)) {}

  kj::Promise<void> add(AddContext context) override {
    auto params = context.getParams();
    context.getResults().setSum(params.getA() + params.getB());
    return kj::READY_NOW;
  }

  kj::Promise<void> echo(EchoContext context) override {
    context.getResults().setValue(context.getParams().getValue());
    return kj::READY_NOW;
  }

  kj::Promise<void> newTarget(NewTargetContext context) override {
    auto params = context.getParams();
    context.getResults().setTarget(make(params.getName(), params.getNumber()));
    return kj::READY_NOW;
  }

  kj::Promise<void> newTargets(NewTargetsContext context) override {
    uint count = context.getParams().getCount();
    auto list = context.getResults().initTargets(count);
    for (uint i = 0; i < count; i++) list.set(i, make(kj::str(i), i));
    return kj::READY_NOW;
  }

  kj::Promise<void> newNested(NewNestedContext context) override {
    auto params = context.getParams();
    auto outer = context.getResults().initOuter();
    outer.setNote("behind two structs");
    outer.initInner().setTarget(make(params.getName(), params.getNumber()));
    return kj::READY_NOW;
  }

  kj::Promise<void> reflect(ReflectContext context) override {
    if (context.getParams().hasTarget()) context.getResults().setTarget(context.getParams().getTarget());
    return kj::READY_NOW;
  }

  kj::Promise<void> callEach(CallEachContext context) override {
    auto params = context.getParams();
    auto calls = kj::heapArrayBuilder<kj::Promise<int>>(params.getTargets().size());
    for (auto target : params.getTargets()) {
      if (isNull(target)) {
        calls.add(-1);
        continue;
      }
      auto request = target.callRequest();
      request.setN(params.getN());
      calls.add(request.send().then([](capnp::Response<CallResult>&& result) { return int(result.getN()); }));
    }
    return kj::joinPromises(calls.finish()).then([context](kj::Array<int> results) mutable {
      auto list = context.getResults().initResults(results.size());
      for (uint i = 0; i < results.size(); i++) list.set(i, results[i]);
    });
  }

  kj::Promise<void> callTimes(CallTimesContext context) override {
    auto params = context.getParams();
    return interop::callTimes(params.getTarget(), params.getTimes()).then([context](int64_t sum) mutable {
      context.getResults().setSum(sum);
    });
  }

  kj::Promise<void> status(StatusContext context) override {
    auto results = context.getResults();
    results.setObjects(counts.objects);
    results.setHanging(counts.hanging);
    results.setCancelled(counts.cancelled);
    return kj::READY_NOW;
  }

  kj::Promise<void> promise(PromiseContext context) override {
    auto paf = kj::newPromiseAndFulfiller<Target::Client>();
    auto results = context.getResults();
    results.setPromise(kj::mv(paf.promise));
    results.setResolver(kj::heap<ResolverServer>(counts, kj::mv(paf.fulfiller)));
    return kj::READY_NOW;
  }

  kj::Promise<void> feed(FeedContext context) override {
    context.getResults().setFeeder(kj::heap<FeederServer>(counts, context.getParams().getTarget()));
    return kj::READY_NOW;
  }

  kj::Promise<void> orderThrough(OrderThroughContext context) override {
    auto params = context.getParams();
    uint count = params.getCount();
    auto object = kj::heap<TargetServer>(counts, "order", 0);
    TargetServer& order = *object;
    Target::Client keep = kj::mv(object);

    auto request = params.getTarget().giveRequest();
    request.setTarget(keep);
    auto given = request.send();
    Target::Client promised = given.getTarget();
    auto before = sendNext(promised, 0, count);
    auto after = given.then([promised, count](capnp::Response<TargetResult>&&) mutable {
      return sendNext(promised, count, count);
    });
    auto both = kj::heapArrayBuilder<kj::Promise<void>>(2);
    both.add(kj::mv(before));
    both.add(kj::mv(after));
    return kj::joinPromises(both.finish()).then([context, keep, &order]() mutable {
      auto list = context.getResults().initSeen(order.numbers.size());
      for (uint i = 0; i < order.numbers.size(); i++) list.set(i, order.numbers[i]);
    });
  }

  kj::Promise<void> fail(FailContext context) override {
    return exceptionOf(context.getParams().getType(), context.getParams().getReason());
  }

  kj::Promise<void> observe(ObserveContext context) override {
    auto request = context.getParams().getTarget().callRequest();
    request.setN(context.getParams().getN());
    return request.send().then([](capnp::Response<CallResult>&&) {}, [context](kj::Exception&& exception) mutable {
      auto results = context.getResults();
      results.setFailed(true);
      results.setType(typeOf(exception));
      results.setReason(exception.getDescription());
    });
  }

  kj::Promise<void> hang(HangContext context) override {
    context.allowCancellation();
    return hangCounted(counts);
  }

  kj::Promise<void> hangOn(HangOnContext context) override {
    context.allowCancellation();
    auto request = context.getParams().getTarget().hangRequest();
    if (context.getParams().getTail()) return context.tailCall(kj::mv(request));
    return request.send().ignoreResult();
  }

  kj::Promise<void> callAndCancel(CallAndCancelContext context) override {
    auto target = context.getParams().getTarget();
    auto hanging = kj::heap(target.hangRequest().send());
    return target.pathRequest().send().then(
        [context, hanging = kj::mv(hanging)](capnp::Response<Target::PathResults>&& result) mutable {
          hanging = nullptr;
          context.getResults().setPath(result.getPath());
        });
  }

  kj::Promise<void> tailCall(TailCallContext context) override {
    auto request = context.getParams().getTarget().callRequest();
    request.setN(context.getParams().getN());
    return context.tailCall(kj::mv(request));
  }

  kj::Promise<void> tailChild(TailChildContext context) override {
    auto request = context.getParams().getTarget().childRequest();
    request.setName(context.getParams().getName());
    return context.tailCall(kj::mv(request));
  }

  kj::Promise<void> openStream(OpenStreamContext context) override {
    context.getResults().setStream(kj::heap<StreamServer>(counts, context.getParams().getFailAt()));
    return kj::READY_NOW;
  }

  kj::Promise<void> streamTo(StreamToContext context) override {
    auto params = context.getParams();
    return writeAll(params.getStream(), params.getWrites(), params.getSize())
        .then([context](capnp::Response<StreamTotals>&& totals) mutable { context.setResults(totals); });
  }

  kj::Promise<void> drop(DropContext context) override {
    context.allowCancellation();
    dropper->drop(context.getParams().getAbort());
    return kj::NEVER_DONE;
  }

  kj::Promise<void> put(PutContext context) override {
    auto params = context.getParams();
    std::string name = params.getName().cStr();
    world.shelf.erase(name);
    if (params.hasTarget()) world.shelf.emplace(name, params.getTarget());
    return kj::READY_NOW;
  }

  kj::Promise<void> get(GetContext context) override {
    auto name = context.getParams().getName();
    auto kept = world.shelf.find(name.cStr());
    if (kept == world.shelf.end()) return exceptionOf(ExceptionType::FAILED, kj::str("nothing is kept as ", name));
    context.getResults().setTarget(kept->second);
    return kj::READY_NOW;
  }

private:
  World& world;
  Counts& counts;
  std::shared_ptr<Dropper> dropper;

  Target::Client make(kj::StringPtr name, int number) {
    return kj::heap<TargetServer>(counts, name.cStr(), number);
  }
};

}  // namespace

capnp::Capability::Client makeInteropTest(World& world, std::shared_ptr<Dropper> dropper) {
  return kj::heap<InteropTestServer>(world, kj::mv(dropper));
}

}  // namespace interop
